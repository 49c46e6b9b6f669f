/**
 * Headings that name the file whose copy follows: `--- /proc/buddyinfo ---`, `==> path <==` of
 * head and tail, `# cat /proc/zoneinfo` and other shell prompts, `### /sys/…`, `host | CHANGED >>`.
 */
const PATH_LINE =
  /^[#=*>$+\-\s[\]|]*(?:\S{0,64}[#$%>]\s+|\[[^\]]{0,64}\][#$%>]\s*)?(?:sudo\s+)?(?:(?:cat|head|tail|grep|more|less|watch)\b[^|;]{0,100}?\s)?(\/(?:proc|sys)\/[\w./-]{1,200})[\s:<=*\-\]|]*$/;
const NAME_LINE =
  /^[#=*>\-\s[]{1,16}\s*((?:buddyinfo|pagetypeinfo|zoneinfo|vmstat|unusable_index|extfrag_index|meminfo|slabinfo|version)(?:\.\w{1,5})?)[\s:<=*\-\]#]*$/;
const HEAD_LINE = /^==> (\S.{0,254}) <==$/;
/** Ansible's line before a host's output. */
const ANSIBLE = /^([\w.-]{1,255}) \| (?:CHANGED|SUCCESS)\b.*>>$/;

export interface Section {
  readonly path: string;
  /** Host the section is from, if the heading says. */
  readonly host: string | null;
}

/** The section a heading opens, or null if the line is no heading. */
export function parseSection(line: string): Section | null {
  if (line.length > 400) return null;
  const ansible = ANSIBLE.exec(line);
  if (ansible) return { path: '', host: ansible[1]! };
  const watch = /^Every \d+[.,]\d+s: .{0,100}?(\/(?:proc|sys)\/[\w./-]{1,200})/.exec(line);
  const match = watch ?? HEAD_LINE.exec(line) ?? PATH_LINE.exec(line) ?? NAME_LINE.exec(line);
  return match && { path: match[1]!, host: null };
}
