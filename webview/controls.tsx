/**
 * The controls of the pages. Buttons, text fields and the progress ring come from VS Code's webview toolkit, which
 * nobody develops any more: this is the one place that knows it, so that a successor can take its place. What the toolkit
 * lacks or makes too heavy for a row of a table is a native control in the theme's colours.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeProgressRing(), vsCodeTextField());

type ElementAttributes = Record<string, unknown>;
declare module 'preact' {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the way to declare elements to JSX
  namespace JSX {
    interface IntrinsicElements {
      'vscode-button': ElementAttributes;
      'vscode-progress-ring': ElementAttributes;
      'vscode-text-field': ElementAttributes;
    }
  }
}

/** A codicon. Decoration unless it has a label. */
export const Icon = ({ name, label }: { name: string; label?: string }): JSX.Element => (
  <span
    class={`codicon codicon-${name}`}
    role={label ? 'img' : undefined}
    aria-label={label}
    aria-hidden={label ? undefined : true}
  />
);

export function Button(props: {
  children?: ComponentChildren;
  icon?: string;
  /** Says what it does where there is no text. */
  label?: string;
  appearance?: 'primary' | 'secondary' | 'icon';
  /** Of a button that stays down. */
  pressed?: boolean;
  disabled?: boolean;
  onClick: () => void;
}): JSX.Element {
  const { children, icon, label, appearance = 'secondary', pressed, disabled, onClick } = props;
  return (
    <vscode-button
      appearance={appearance}
      aria-label={label}
      title={label}
      aria-pressed={pressed === undefined ? undefined : String(pressed)}
      class={pressed ? 'pressed' : ''}
      disabled={disabled ?? false}
      onClick={onClick}
    >
      {icon && <span slot={children === undefined ? undefined : 'start'} class={`codicon codicon-${icon}`} />}
      {children}
    </vscode-button>
  );
}

export const Busy = ({ label }: { label: string }): JSX.Element => (
  <vscode-progress-ring aria-label={label} class="busy" />
);

/** A line to type a filter into. */
export const SearchField = (props: {
  value: string;
  label: string;
  placeholder: string;
  onInput: (text: string) => void;
}): JSX.Element => (
  <vscode-text-field
    class="search"
    value={props.value}
    // The control names itself "Text field" when it is put into the page: name it after that.
    ref={(element: HTMLElement | null) => element?.setAttribute('aria-label', props.label)}
    placeholder={props.placeholder}
    onInput={(event: Event) => props.onInput((event.target as HTMLInputElement).value)}
    onKeyDown={(event: KeyboardEvent) => {
      if (event.key === 'Escape') props.onInput('');
    }}
  >
    <span slot="start" class="codicon codicon-filter" />
  </vscode-text-field>
);

export function Checkbox(props: {
  checked: boolean;
  /** Drawn as neither on nor off. */
  mixed?: boolean;
  label?: string;
  children?: ComponentChildren;
  disabled?: boolean;
  tabIndex?: number;
  onChange: (checked: boolean) => void;
}): JSX.Element {
  const { checked, mixed = false, label, children, disabled, tabIndex, onChange } = props;
  const element = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (element.current) element.current.indeterminate = mixed;
  }, [mixed]);
  return (
    <label class="checkbox">
      <input
        ref={element}
        type="checkbox"
        checked={checked}
        aria-label={label}
        disabled={disabled}
        tabIndex={tabIndex}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      {children}
    </label>
  );
}

export const Select = <Value extends string>(props: {
  value: Value;
  options: readonly (readonly [Value, string])[];
  label: string;
  disabled?: boolean;
  onChange: (value: Value) => void;
}): JSX.Element => (
  <select
    aria-label={props.label}
    disabled={props.disabled}
    value={props.value}
    onChange={(event) => props.onChange(event.currentTarget.value as Value)}
  >
    {props.options.map(([value, text]) => (
      <option key={value} value={value} selected={value === props.value}>
        {text}
      </option>
    ))}
  </select>
);

export const Slider = (props: {
  value: number;
  min: number;
  max: number;
  step: number;
  label: string;
  /** The value in words, for screen readers. */
  text: string;
  disabled?: boolean;
  tabIndex?: number;
  onInput: (value: number) => void;
}): JSX.Element => (
  <input
    type="range"
    min={props.min}
    max={props.max}
    step={props.step}
    value={props.value}
    disabled={props.disabled}
    tabIndex={props.tabIndex}
    aria-label={props.label}
    aria-valuetext={props.text}
    style={{ '--part': `${(100 * (props.value - props.min)) / (props.max - props.min)}%` }}
    onInput={(event) => props.onInput(event.currentTarget.valueAsNumber)}
  />
);

/**
 * A number to type. It is taken with each key stroke that leaves a number in range, and shown as the rest of the page writes
 * it once the field is left.
 */
export function NumberField(props: {
  value: number;
  min: number;
  max: number;
  /** Change per arrow key. */
  step: number;
  label: string;
  /** How the value is written; the reverse is `parse`. */
  format: (value: number) => string;
  parse?: (text: string) => number;
  disabled?: boolean;
  tabIndex?: number;
  onInput: (value: number) => void;
}): JSX.Element {
  const { value, min, max, step, label, format, parse = parseNumber, disabled, tabIndex, onInput } = props;
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const take = (number: number) => Number.isFinite(number) && onInput(Math.min(max, Math.max(min, number)));
  const invalid = typed !== undefined && !(parse(typed) >= min && parse(typed) <= max);
  return (
    <input
      class="number"
      type="text"
      inputMode="decimal"
      spellcheck={false}
      value={typed ?? format(value)}
      aria-label={label}
      aria-invalid={invalid}
      disabled={disabled}
      tabIndex={tabIndex}
      onInput={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        const number = parse(text);
        if (number >= min && number <= max) onInput(number);
      }}
      onFocus={(event) => event.currentTarget.select()}
      onBlur={() => setTyped(undefined)}
      onKeyDown={(event) => {
        if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
          event.preventDefault();
          event.stopPropagation();
          setTyped(undefined);
          take(value + (event.key === 'ArrowUp' ? step : -step));
        } else if (event.key === 'Enter') {
          setTyped(undefined);
        }
      }}
    />
  );
}

/** A number as people type it, with a decimal point or comma. */
export const parseNumber = (text: string): number => {
  const plain = text.trim().replace(',', '.');
  return plain === '' ? NaN : Number(plain);
};

/** A whole number as people type it, or as it is shown with its digits grouped. */
export const parseCount = (text: string): number =>
  Math.round(parseNumber(text.replace(/[,.\s](?=\d{3}\b)/g, '')));

/** A share as people type it: 12.5 and 12.5 % are an eighth. */
export const parsePercent = (text: string): number => parseNumber(text.replace(/%/g, '')) / 100;
