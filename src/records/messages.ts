/**
 * Every diagnostic buddyscope can give: its code, severity and the text a user reads.
 *
 * A code is stable (people grep for it); a text may improve. `{name}` is filled from the report's
 * data. Codes are grouped by the layer that reports them and sorted within a group.
 */
export type Severity = 'info' | 'warning' | 'error';

export interface Message {
  readonly severity: Severity;
  readonly text: string;
  /** What the user can do about it, or what it costs in certainty. */
  readonly hint?: string;
}

export const MESSAGES = {
  // io
  'input-empty': { severity: 'warning', text: 'the file is empty' },
  'input-missing': { severity: 'error', text: 'no such file or directory' },
  'input-unreadable': { severity: 'error', text: 'cannot be read: {reason}' },

  // detection
  'format-unknown': {
    severity: 'warning',
    text: 'not recognised as any input format',
    hint: 'the first lines were compared with every format that `buddyscope inspect --formats` lists',
  },

  // event text
  'line-too-long': {
    severity: 'warning',
    text: 'a line is longer than {limit} bytes and was skipped',
  },
  'line-unparsed': { severity: 'warning', text: 'a line fits no known form and was skipped' },
  'events-lost': {
    severity: 'warning',
    text: '{count} events were lost on CPU {cpu}',
    hint: 'bounds are widened from here until later evidence closes them',
  },
} as const satisfies Record<string, Message>;

export type DiagnosticCode = keyof typeof MESSAGES;
