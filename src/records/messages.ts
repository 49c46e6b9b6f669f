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
  'file-ignored': {
    severity: 'info',
    text: 'left out, since they are no input: {files}',
  },
  'input-bomb': {
    severity: 'error',
    text: 'expands {ratio} times when decompressed: reading stopped',
    hint: 'what was read before is used; decompress it yourself if it is genuine',
  },
  'input-corrupt': {
    severity: 'warning',
    text: 'the compressed data is damaged ({reason}): reading stopped',
    hint: 'what was read before is used',
  },
  'input-directory-empty': { severity: 'warning', text: 'the directory holds no files' },
  'input-empty': { severity: 'warning', text: 'the file is empty' },
  'input-files-limit': {
    severity: 'warning',
    text: 'the directory holds more than {limit} files: the rest was left out',
  },
  'input-missing': { severity: 'error', text: 'no such file or directory' },
  'input-nested-compression': {
    severity: 'error',
    text: 'is compressed more than once ({reason})',
    hint: 'decompress it once yourself',
  },
  'input-too-long': {
    severity: 'warning',
    text: 'longer than {limit} bytes: the rest was left out',
  },
  'input-truncated': {
    severity: 'warning',
    text: 'the compressed data ends early ({reason})',
    hint: 'what was read before is used',
  },
  'input-unhashed': {
    severity: 'warning',
    text: 'was read, but could not be read again to be hashed ({reason}): it stands without a hash',
    hint: 'the file was changed, or went away, in the meantime; what was read first is used',
  },
  'input-unreadable': { severity: 'error', text: 'cannot be read: {reason}' },
  'input-unsupported': {
    severity: 'warning',
    text: 'a {kind} file, which is not read',
    hint: 'unpack it and name the files or the directory',
  },
  'input-window': {
    severity: 'error',
    text: 'decompression needs a window of {bytes} bytes, more than is allowed',
    hint: 'decompress it yourself (zstd -d --long=31)',
  },

  // detection
  'format-unknown': {
    severity: 'warning',
    text: 'not recognised as any input format',
    hint: 'the first lines were compared with every format that `buddyscope inspect --formats` lists',
  },

  'input-without-events': {
    severity: 'warning',
    text: '{what}: nothing can be read from it; {instead}',
  },

  // tables
  'csv-record-lost': {
    severity: 'warning',
    text: 'a record is longer than {limit} bytes (a quote that is never closed?); the lines up to here were skipped',
  },
  'time-unit-guessed': {
    severity: 'info',
    text: 'the time column says no unit: {unit} was taken',
    hint: 'give --time-unit s, ms, us or ns',
  },

  'nothing-usable': {
    severity: 'error',
    text: 'nothing usable was found in {count} inputs: no page event, no snapshot, no kernel report',
    hint: '`buddyscope inspect` says what each file was taken for, and why',
  },

  // recording
  'nothing-to-replay': {
    severity: 'error',
    text: 'no event and no copy of the free lists is in the input ({count} other snapshots are)',
    hint: 'give a trace of kmem events or a copy of /proc/buddyinfo; `buddyscope postmortem` explains kernel logs',
  },
  'copies-go-back': {
    severity: 'warning',
    text: 'the copy here is stamped {to} s, earlier than the one before it, {from} s: {cause}. Copies are put in the order of their stamps, which mixes what came before with what came after',
    hint: 'split the file at this line and give one part at a time',
  },
  'events-of-one-cpu': {
    severity: 'warning',
    text: 'all events are of CPU {cpu}, and the machine has {cpus}: what the others allocated and freed is probably missing',
    hint: 'per_cpu/cpuN/trace holds the events of one CPU; save the file trace above it, or give those of all CPUs',
  },
  'marks-unknown': {
    severity: 'info',
    text: 'the watermarks are not in the input: verdicts tell whether a block was there, not whether the kernel would have kept it as a reserve',
    hint: 'add a copy of /proc/zoneinfo',
  },
  'page-size-assumed': {
    severity: 'info',
    text: 'pages are taken to be of 4 KiB; where they are larger, as they may be with {orders} orders, so is all that is given in bytes',
    hint: 'orders and counts of blocks are right in any case; `getconf PAGESIZE` tells',
  },
  'clock-aligned': {
    severity: 'info',
    text: '{count} snapshots were placed in trace time by their markers; their clock differs from the trace clock by {offset} s',
  },
  'clock-assumed-same': {
    severity: 'info',
    text: '{count} snapshots are stamped in monotonic time and were taken to share the clock of the trace ({clock})',
    hint: 'their spans overlap; record with trace_clock=mono and markers to be sure',
  },
  'clock-estimated': {
    severity: 'info',
    text: '{count} snapshots were placed in trace time where their free pages agree with the events: its time 0 is {zero} on their clock, give or take {uncertainty} s; {agreement} % of what moved between them is explained',
    hint: 'record with trace_clock=mono and markers (samples/record.sh) to have them placed exactly',
  },
  'clock-not-aligned': {
    severity: 'warning',
    text: '{count} snapshots could not be placed in trace time ({clock} stamps, no markers, no clear agreement with the events)',
    hint: 'they correct nothing between events; record with trace_clock=mono or write markers',
  },
  'events-merged': { severity: 'info', text: 'events of {count} inputs were merged by time' },
  'buffers-begin-apart': {
    severity: 'warning',
    text: 'the trace is whole from {after} s after its first event: before, events of busy CPUs were overwritten, and only copies of /proc/buddyinfo tell the free lists',
    hint: 'a larger buffer_size_kb, or reading trace_pipe while recording, keeps them; a copy of /proc/kpageflags taken as the recording ends tells where free memory lay',
  },
  'events-not-followed': {
    severity: 'warning',
    text: 'free lists cannot be followed by this trace: it has {why}. They are known at the copies of /proc/buddyinfo alone',
    hint: 'record all events of kmem:mm_page_*, of all tasks and CPUs',
  },
  'events-out-of-order': {
    severity: 'info',
    text: 'events stamped earlier than one before them: {count}; all were sorted by time',
  },
  'input-duplicate': {
    severity: 'info',
    text: 'holds the same events as {other}: left out',
  },
  'inputs-not-compared': {
    severity: 'warning',
    text: 'there are too many inputs with events to compare each with all others: {count} may repeat events of another',
    hint: 'give each recording once',
  },
  'instant-outside': {
    severity: 'warning',
    text: '{count} of the instants asked for lie outside the recording, which runs from {from} to {to} s (the first is {at}): what is shown for them is the state at its nearer end, and not known',
    hint: 'times are seconds on the clock of the recording, as `buddyscope inspect` shows them',
  },
  'mixed-kernels': {
    severity: 'warning',
    text: 'the inputs come from different kernels: {releases}',
    hint: 'give the inputs of one machine and one boot at a time',
  },
  'mixed-machines': {
    severity: 'warning',
    text: 'the inputs describe different memory: {first} and {second}',
    hint: 'give the inputs of one machine and one boot at a time',
  },
  'copies-numbered': {
    severity: 'info',
    text: '{count} copies of buddyinfo carry no time, and there are no events: each is shown a second after the one before it, from 0 on',
    hint: '`date` before each copy dates it',
  },
  'snapshot-located': {
    severity: 'info',
    text: 'the {kind} copy has no time; it fits the events between {from} and {to} s ({agreeing} of {spans} pages that tell agree)',
  },
  'snapshot-not-looked-at': {
    severity: 'warning',
    text: 'the {kind} copy has no time, and where it belongs was not looked for: there are more such copies, or larger blocks in copies and events, than are followed. It is not used',
    hint: '`--input-option undated=start` or `undated=end` says that it was taken as the recording began or ended',
  },
  'snapshot-undated': {
    severity: 'info',
    text: 'the {kind} copy has no time, and the events do not tell where it belongs: it is not used',
    hint: '`--input-option undated=start` or `undated=end` says that it was taken as the recording began or ended',
  },
  'map-outdated': {
    severity: 'warning',
    text: 'the copy of kpageflags was read {gap} s before the first event: what happened in between is not known, {use}',
    hint: 'read /proc/kpageflags while tracing is on',
  },
  'snapshots-before-trace': {
    severity: 'info',
    text: '{count} snapshots are older than the first event that was not overwritten: they correct nothing',
    hint: 'a larger buffer_size_kb, or reading trace_pipe while recording, keeps what happened between',
  },
  'snapshots-thinned': {
    severity: 'warning',
    text: '{count} {kind} copies were left out to keep at most {limit}',
  },
  'zones-limit': {
    severity: 'warning',
    text: 'the inputs name more than {limit} zones: {count} rows of later ones were left out',
    hint: 'give the inputs of one machine at a time, or raise --limit zones=N',
  },

  // kernel logs
  'log-reports-limit': {
    severity: 'warning',
    text: '{count} reports and lines of note after the first {limit} were left out',
    hint: 'raise --limit reports=N, or cut the log',
  },

  'failed-requests-limit': {
    severity: 'warning',
    text: '{count} failed requests of the trace are like those that the log reports, too many to hold each against it: which of them some reports are cannot be told',
    hint: 'a trace of a shorter time around the reports can be joined to them',
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
  'event-value-impossible': {
    severity: 'warning',
    text: '{event} says {field}={value}, which no machine has; the event was skipped',
  },
  'events-too-large': {
    severity: 'warning',
    text: '{count} events on blocks of more than order {order} are not replayed: they are about {pages} pages, more than so few events can be',
    hint: 'the file is probably damaged; free lists are wrong where those blocks lie',
  },
  'text-budget': {
    severity: 'warning',
    text: 'more than {limit} MiB of distinct marker texts and stacks; later ones were not kept',
  },
  'trace-cut': {
    severity: 'info',
    text: 'the last line has no line end: the file was probably cut here',
  },
  'trace-form-unusable': {
    severity: 'error',
    text: 'the trace was recorded with {form}, whose lines do not hold the fields of page events',
    hint: 'record again with `echo 0 > options/raw`, `options/hex` and `options/bin`, and with the tracer `nop`',
  },
  'trace-overwritten': {
    severity: 'warning',
    text: '{count} entries were overwritten before the trace was read',
    hint: 'the trace begins later than the recording; a larger buffer_size_kb keeps more',
  },
  'trace-without-context': {
    severity: 'warning',
    text: 'lines hold neither time nor CPU (option context-info was off): their order stands for time',
    hint: 'record again with `echo 1 > options/context-info`',
  },
  // binary event traces
  'binary-cut': {
    severity: 'warning',
    text: 'the file ends inside {what}: {need} bytes are needed, {have} are there',
    hint: 'the recording was cut off; what was complete is used',
  },
  'binary-damaged': {
    severity: 'warning',
    text: '{what} is damaged ({reason}) and was skipped',
  },
  'clock-counts': {
    severity: 'info',
    text: 'stamps are plain counts; they are taken as nanoseconds',
    hint: 'the counter, uptime and x86-tsc clocks count something else: order is right, durations are not; --time-unit says which',
  },
  'clock-not-ns': {
    severity: 'warning',
    text: 'the trace clock {clock} does not count nanoseconds; stamps are used as they are',
    hint: 'order is right, durations are not; record with trace-cmd -C mono',
  },
  'clock-shifted': {
    severity: 'info',
    text: 'a recording of a guest: times were brought to the clock of its host by {samples} samples of their distance',
  },
  'compression-unsupported': {
    severity: 'error',
    text: 'sections are compressed with {method}, which is not read',
    hint: 'convert it: trace-cmd convert --compression none',
  },
  'event-unpaired': {
    severity: 'info',
    text: '{count} records stand outside any known event type and were skipped',
  },
  'format-unusable': {
    severity: 'warning',
    text: 'the format of {event} lacks fields it cannot be read without',
  },
  'formats-missing': {
    severity: 'error',
    text: 'raw ring-buffer pages cannot be read without the event formats of their kernel',
    hint: 'give the events/*/format files of that kernel beside them',
  },
  'instance-unknown': {
    severity: 'warning',
    text: 'no buffer is called {name}; there are {names}',
  },
  'instances-left-out': {
    severity: 'warning',
    text: 'the file holds several buffers; {used} was read, left out: {others}',
    hint: 'choose one with the input option instance=NAME, or instance=all',
  },
  'latency-trace': {
    severity: 'error',
    text: 'a latency-tracer recording holds no events to replay',
    hint: 'record with trace-cmd record -e kmem, without -p',
  },
  'merge-budget': {
    severity: 'warning',
    text: 'more than {limit} events wait to be sorted by time: sorting went on in parts',
    hint: 'events may be slightly out of order from here',
  },
  'pageblock-order-assumed': {
    severity: 'info',
    text: 'the format of mm_page_alloc_extfrag does not say the pageblock order; {order} was assumed',
  },
  'perf-no-raw': {
    severity: 'error',
    text: 'the samples hold no tracepoint fields (sample_type {type})',
    hint: 'record the tracepoints themselves: perf record -e kmem:mm_page_alloc -e kmem:mm_page_free',
  },
  'perf-no-time': {
    severity: 'error',
    text: 'the samples have no time stamps',
    hint: 'record with perf record -T',
  },
  'pfn-from-pointer': {
    severity: 'info',
    text: '{event} holds page pointers; pfns were computed with {bytes} bytes a struct page',
    hint: 'if pfns look wrong, give the input option struct-page-bytes=56',
  },
  'record-out-of-range': {
    severity: 'warning',
    text: '{count} records were too short or held impossible values and were skipped',
  },
  'section-limit': {
    severity: 'warning',
    text: '{what} is larger than {limit} bytes and was left out',
  },
  // snapshots
  'kpageflags-cut': {
    severity: 'warning',
    text: 'the copy ends in the middle of a word; {count} bytes were skipped',
  },
  'kpageflags-limit': {
    severity: 'warning',
    text: 'only the first {limit} pages of the copy are kept',
  },
  'page-owner-cut': {
    severity: 'warning',
    text: 'a page_owner record is incomplete and was skipped',
  },
  'page-owner-limit': {
    severity: 'warning',
    text: 'only the first {limit} page_owner records are kept',
  },
  'page-maps-limit': {
    severity: 'warning',
    text: '{count} copies of kpageflags and kpagecount were left out: all may have {limit} Mi pages together',
    hint: 'give fewer copies; the first and the last of a recording say most',
  },
  'page-owner-span': {
    severity: 'warning',
    text: '{records} records name blocks of {pages} pages, more than so few can be about: they are not used as a seed',
  },
  'snapshot-cut': {
    severity: 'warning',
    text: '{what} of a copy is cut short and was skipped',
    hint: 'the file was truncated, or copied while it was written',
  },
  'snapshot-foreign-lines': {
    severity: 'info',
    text: '{count} lines belong to no snapshot file and were skipped; the first: {first}',
  },
  'snapshot-line-bad': {
    severity: 'warning',
    text: 'a line of a snapshot holds impossible values and was skipped',
  },
  'snapshot-other-host': {
    severity: 'warning',
    text: '{count} lines are from other hosts than {host} and were skipped',
    hint: 'choose the host with the input option host=NAME',
  },
  'stamps-after-copies': {
    severity: 'warning',
    text: 'the file begins with a copy and ends with a stamp: each copy got the stamp of the one before it',
    hint: 'times are one interval too early; print the date before the copy',
  },
  'time-date-missing': {
    severity: 'warning',
    text: 'time stamps lack the date or the year; only their differences are right',
  },
  'time-from-name': {
    severity: 'info',
    text: 'copies without any time header were dated by the name of the file, taken as UTC',
  },
  'time-zone-assumed': {
    severity: 'info',
    text: 'time stamps name no known time zone; UTC was assumed',
  },
  // kernel profile
  'kernel-override-invalid': {
    severity: 'warning',
    text: "--kernel '{kernel}' does not begin with a kernel version and was ignored",
  },
  'kernel-unknown': {
    severity: 'info',
    text: 'the input does not name its kernel; {kernel} is assumed ({why})',
    hint: 'give --kernel, or add /proc/version to the input',
  },
  'profile-conflict': {
    severity: 'info',
    text: 'the data contradicts kernel {kernel}: {text}, so {key} is {value} and not {expected}',
  },
  'profile-override-invalid': {
    severity: 'warning',
    text: "--profile '{override}' was ignored: {reason}",
  },
} as const satisfies Record<string, Message>;

export type DiagnosticCode = keyof typeof MESSAGES;
