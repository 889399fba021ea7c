"""The nets of bench/nets.ts in PyTorch on the CPU: reads names of tasks, does each once, prints its milliseconds."""

import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.a = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.a_norm = nn.BatchNorm2d(outputs)
        self.b = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.b_norm = nn.BatchNorm2d(outputs)
        self.project = nn.Sequential()
        if stride != 1:
            self.project = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = F.relu(self.a_norm(self.a(x)))
        return F.relu(self.b_norm(self.b(y)) + self.project(x))


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip


def resnet20():
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs in (16, 32, 64):
        for _ in range(3):
            layers.append(Block(inputs, outputs, 1 if inputs == outputs else 2))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def det3():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.PReLU(32), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(32, 64, 3), nn.PReLU(64), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(64, 64, 3), nn.PReLU(64), nn.MaxPool2d(2, 2),
        nn.Conv2d(64, 128, 2), nn.PReLU(128),
        nn.Flatten(), nn.Linear(1152, 256), nn.PReLU(256), nn.Linear(256, 16),
    )  # fmt: skip


def forward(net, *shape):
    net.eval()
    x = torch.randn(*shape)

    def run():
        with torch.no_grad():
            net(x)

    return run


def step(net, *shape):
    x, label = torch.randn(*shape), torch.randint(0, 10, (shape[0],))
    solver = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)

    def run():
        solver.zero_grad()
        F.cross_entropy(net(x), label).backward()
        solver.step()

    return run


tasks = {
    "LeNet, training step of 64": step(lenet(), 64, 1, 28, 28),
    "LeNet, forward of 100": forward(lenet(), 100, 1, 28, 28),
    "ResNet-20, training step of 128": step(resnet20(), 128, 3, 32, 32),
    "ResNet-20, forward of 100": forward(resnet20(), 100, 3, 32, 32),
    "MTCNN det3, forward of 16": forward(det3(), 16, 3, 48, 48),
    "MTCNN det3, forward of 1": forward(det3(), 1, 3, 48, 48),
}
print("PyTorch", torch.__version__, flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    tasks[line.strip()]()
    spent = time.perf_counter() - start
    # Its threads spin for a while after their work: not into the time of whoever comes next.
    time.sleep(0.02)
    print(spent * 1000, flush=True)
