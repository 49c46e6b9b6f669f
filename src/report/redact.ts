/**
 * Pseudonyms for what names people, machines or products: comms, pids, input names, markers and all
 * functions that a module may hold. Keyed, so that one key gives the same pseudonym everywhere and in every
 * report made with it, and nobody without the key can test a guess.
 *
 * Names of the kernel's own threads stay: they say what happened and nothing of who.
 */
import { createHmac } from 'node:crypto';
import { writeNarrative } from '../analysis/narrative.js';
import type { Moment, ReportData } from '../analysis/report-data.js';
import type { Attempt, FailureWindow, WindowEdge } from '../analysis/types.js';
import { MESSAGES } from '../records/messages.js';
import { isCoreFunction } from './core-functions.js';

const KERNEL_THREADS =
  /^(<idle>|<\.\.\.>|swapper(\/\d+)?|kswapd\d+|kcompactd\d+|ksoftirqd\/\d+|migration\/\d+|rcu_(preempt|sched|bh|gp|par_gp)|khugepaged|oom_reaper|\(others\)|)$/;

export class Redactor {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  #hash(kind: string, text: string): string {
    return createHmac('sha256', this.#key).update(`${kind}\0${text}`).digest('hex');
  }

  comm(comm: string): string {
    return KERNEL_THREADS.test(comm) ? comm : `task-${this.#hash('comm', comm).slice(0, 6)}`;
  }

  pid(pid: number): number {
    return pid <= 0
      ? pid
      : 100_000 + (Number.parseInt(this.#hash('pid', String(pid)).slice(0, 8), 16) % 900_000);
  }

  text(kind: string, text: string): string {
    return text === '' ? '' : `${kind}-${this.#hash(kind, text).slice(0, 6)}`;
  }

  /** Phases stay phases, so that two recordings can still be aligned by them. */
  marker(text: string): string {
    const phase = /^phase\s+(.*)$/s.exec(text);
    return phase ? `phase ${this.text('marker', phase[1]!)}` : this.text('marker', text);
  }

  /** A frame keeps its name only where it is a function of the kernel's core. */
  #frame(frame: string): string {
    return isCoreFunction(frame) ? frame : this.text('frame', frame);
  }

  site(site: string): string {
    return site
      .split(' ← ')
      .map((frame) => this.#frame(frame))
      .join(' ← ');
  }

  /** `function`, `function [module]` or `task NAME`. */
  caller(caller: string): string {
    const task = /^task (.*)$/s.exec(caller);
    return task ? `task ${this.comm(task[1]!)}` : this.#frame(caller);
  }

  #edge(edge: WindowEdge | null): WindowEdge | null {
    return edge && { ...edge, comm: this.comm(edge.comm), pid: this.pid(edge.pid) };
  }

  window(window: FailureWindow): FailureWindow {
    return {
      ...window,
      openedBy: this.#edge(window.openedBy),
      closedBy: this.#edge(window.closedBy),
    };
  }

  attempt(attempt: Attempt): Attempt {
    return { ...attempt, comm: this.comm(attempt.comm), pid: this.pid(attempt.pid) };
  }
}

/** The same report without names. Diagnostics lose their excerpts. */
export function redactReport(data: ReportData, redactor: Redactor): ReportData {
  const input = (name: string): string => redactor.text('input', name);
  const { narrative: _narrative, ...rest } = data;
  const redacted = {
    ...rest,
    title: redactor.text('report', data.title),
    tool: { ...data.tool, command: ['report', '(redacted)'] },
    inputs: data.inputs.map((one) => ({ ...one, name: input(one.name), sha256: null })),
    windows: data.windows.map((window) => redactor.window(window)),
    attempts: {
      ...data.attempts,
      examples: data.attempts.examples.map((attempt) => redactor.attempt(attempt)),
    },
    timeline: {
      ...data.timeline,
      markers: data.timeline.markers.map((marker) => ({
        ...marker,
        text: redactor.marker(marker.text),
      })),
    },
    holders: data.holders && {
      ...data.holders,
      holders: data.holders.holders.map((holder) => ({
        ...holder,
        comm: redactor.comm(holder.comm),
        site: redactor.site(holder.site),
      })),
    },
    physicalMap: data.physicalMap && {
      ...data.physicalMap,
      pages: {
        ...data.physicalMap.pages,
        owners: data.physicalMap.pages.owners.map((owner) => ({
          ...owner,
          comm: redactor.comm(owner.comm),
          site: redactor.site(owner.site),
        })),
      },
    },
    moments: data.moments.map((moment) => redactMoment(moment, redactor)),
    kernelReports: data.kernelReports
      ? {
          ...data.kernelReports,
          clocks: data.kernelReports.clocks.map((clock) => ({
            ...clock,
            source: input(clock.source),
          })),
          reports: data.kernelReports.reports.map((report) => ({
            ...report,
            source: input(report.source),
            comm: redactor.comm(report.comm),
            caller: redactor.caller(report.caller),
          })),
        }
      : null,
    residuals: data.residuals.map((residual) => ({ ...residual, source: input(residual.source) })),
    diagnostics: data.diagnostics.map(({ excerpt: _excerpt, ...diagnostic }) => ({
      ...diagnostic,
      source: input(diagnostic.source),
      message: withoutNames(diagnostic.code, diagnostic.message),
    })),
  };
  return { ...redacted, narrative: writeNarrative(redacted) };
}

function redactMoment(moment: Moment, redactor: Redactor): Moment {
  const named = <T extends { readonly comm: string }>(one: T): T => ({
    ...one,
    comm: redactor.comm(one.comm),
  });
  const { nearest, around, ...rest } = moment;
  return {
    ...rest,
    ...(around === undefined ? {} : { around: around.map(named) }),
    ...(nearest === undefined
      ? {}
      : {
          nearest: nearest.map((block) => ({ ...block, holders: block.holders.map(named) })),
        }),
  };
}

/** The message with numbers only: whatever else was filled in could be a name. */
function withoutNames(code: string, message: string): string {
  const template = (MESSAGES as Readonly<Record<string, { readonly text: string }>>)[code]?.text;
  if (template === undefined) return code;
  const parts = template.split(/\{\w+\}/);
  let clean = parts[0]!;
  let at = clean.length;
  for (const part of parts.slice(1)) {
    const end = part === '' ? message.length : message.indexOf(part, at);
    const value = end < 0 ? '' : message.slice(at, end);
    clean += `${/^[\d.,\s]+$/.test(value) ? value : '…'}${part}`;
    at = end < 0 ? message.length : end + part.length;
  }
  return clean;
}
