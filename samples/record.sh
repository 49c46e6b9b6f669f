#!/bin/sh
# Records what buddyscope wants from a running Linux machine: POSIX shell, cat and sleep, nothing else.
#
#   sh record.sh [-t SECONDS] [-b BUFFER_KB] [-i INTERVAL] [-l] [-o FOLDER]
#
#   -t  how long to record (default 10)
#   -b  trace buffer, KiB a CPU (default 20480: 100 000 to 200 000 events a CPU)
#   -i  seconds between copies of buddyinfo (default 1; fractions if sleep takes them)
#   -l  live: also read trace_pipe while recording, for spans longer than the buffer holds
#   -o  where to write (default buddyscope-HOST-STAMP in the current folder)
#
# Needs root (tracefs, kpageflags). Uses a tracing instance of its own, so that it disturbs no tracer
# already running, and removes it at the end. Kernel 3.10 or later for the instance; without one the
# top-level buffer is used if nothing else uses it.
set -u

seconds=10; buffer_kb=20480; interval=1; live=0; out=
usage() { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
die() { echo "record.sh: $*" >&2; exit 1; }
while getopts t:b:i:lo:h option; do
  case $option in
    t) seconds=$OPTARG ;; b) buffer_kb=$OPTARG ;; i) interval=$OPTARG ;;
    l) live=1 ;; o) out=$OPTARG ;; *) usage ;;
  esac
done

# --- where tracefs is --------------------------------------------------------------------------
tracefs=
for candidate in /sys/kernel/tracing /sys/kernel/debug/tracing; do
  [ -w "$candidate/trace" ] && { tracefs=$candidate; break; }
done
if [ -z "$tracefs" ]; then
  mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null
  [ -w /sys/kernel/tracing/trace ] || die 'no writable tracefs: run as root (and mount -t tracefs nodev /sys/kernel/tracing)'
  tracefs=/sys/kernel/tracing
fi
[ -n "$out" ] || out="buddyscope-$(uname -n)-$(date +%Y%m%d-%H%M%S)"
mkdir -p "$out/snapshots" "$out/system" || die "cannot create $out"

instance=$tracefs/instances/buddyscope
own_instance=1
if ! mkdir "$instance" 2>/dev/null; then
  [ -d "$instance" ] && die "$instance exists: another recording runs, or: rmdir $instance"
  instance=$tracefs; own_instance=0
  [ "$(cat "$instance/current_tracer")" = nop ] || die 'another tracer is active'
fi
pipe_pid=
finish() {
  trap - EXIT INT TERM
  echo 0 > "$instance/tracing_on"
  if [ -n "$pipe_pid" ]; then
    # What is still in the buffer goes out first, for half a minute at most.
    tries=0
    while [ $tries -lt 30 ] && grep -q '^entries: [1-9]' "$instance"/per_cpu/cpu*/stats; do
      sleep 1; tries=$((tries + 1))
    done
    sleep 1; kill "$pipe_pid" 2>/dev/null; wait "$pipe_pid" 2>/dev/null
  fi
  echo 0 > "$instance/events/enable"
  echo 1 > "$instance/buffer_size_kb" 2>/dev/null
  if [ $own_instance = 1 ]; then rmdir "$instance" 2>/dev/null; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

# --- facts about the machine ---------------------------------------------------------------------
for f in version cmdline meminfo iomem zoneinfo buddyinfo pagetypeinfo; do
  cat "/proc/$f" > "$out/system/$f.txt" 2>/dev/null
done
for f in min_free_kbytes watermark_scale_factor watermark_boost_factor extfrag_threshold lowmem_reserve_ratio \
  percpu_pagelist_fraction percpu_pagelist_high_fraction compaction_proactiveness compact_unevictable_allowed; do
  [ -r "/proc/sys/vm/$f" ] && echo "$f: $(cat "/proc/sys/vm/$f")"
done > "$out/system/sysctl-vm.txt"
cat /sys/kernel/mm/transparent_hugepage/enabled > "$out/system/thp.txt" 2>/dev/null
getconf PAGESIZE > "$out/system/pagesize.txt" 2>/dev/null

# --- the tracer ----------------------------------------------------------------------------------
echo 0 > "$instance/tracing_on"
echo 0 > "$instance/events/enable"
echo > "$instance/trace"
echo mono > "$instance/trace_clock" || echo 'record.sh: this kernel has no mono trace clock; the default is used' >&2
echo "$buffer_kb" > "$instance/buffer_size_kb" || die "no memory for $buffer_kb KiB a CPU of trace buffer: use a smaller -b"
enable() {
  if [ -w "$instance/events/$1/enable" ]; then
    echo 1 > "$instance/events/$1/enable" && echo "$1"
  fi
}
{
  for e in mm_page_alloc mm_page_free mm_page_free_direct mm_page_free_batched mm_page_alloc_zone_locked \
    mm_page_pcpu_drain mm_page_alloc_extfrag; do enable "kmem/$e"; done
  for e in begin end isolate_migratepages isolate_freepages fast_isolate_freepages migratepages \
    try_to_compact_pages kcompactd_wake kcompactd_sleep; do enable "compaction/mm_compaction_$e"; done
  for e in direct_reclaim_begin direct_reclaim_end kswapd_wake kswapd_sleep wakeup_kswapd; do
    enable "vmscan/mm_vmscan_$e"; done
  enable oom/mark_victim
  enable page_isolation/test_pages_isolated
  for e in cma_alloc_start cma_alloc_finish cma_release; do enable "cma/$e"; done
} > "$out/system/events-enabled.txt"
[ -s "$out/system/events-enabled.txt" ] || die 'this kernel has none of the kmem tracepoints'

# --- timed copies --------------------------------------------------------------------------------
# /proc/uptime is in seconds since boot with two digits, and counts time asleep, which the trace clock
# mono does not; the markers in the trace say exactly where among the events a copy stands.
stamp() { read -r up rest < /proc/uptime; echo "$up"; }
snap=0
marker() { echo "$1" > "$instance/trace_marker"; }
# copy NAME FILE: appends a timed copy of FILE to snapshots/NAME.log
copy() {
  [ -r "$2" ] || return 0
  snap=$((snap + 1))
  begin=$(stamp); marker "snap $snap begin $1"
  text=$(cat "$2" 2>/dev/null)
  marker "snap $snap end $1"; end=$(stamp)
  { echo "# mono=$begin-$end snap=$snap"; echo "$text"; } >> "$out/snapshots/$1.log"
}
# kpageflags says which page is free: one word a page frame, 2 MB for 1 GB of memory.
copy_kpageflags() {
  [ -r /proc/kpageflags ] || return 0
  snap=$((snap + 1)); file=kpageflags-$snap.bin
  begin=$(stamp); marker "snap $snap begin kpageflags"
  cat /proc/kpageflags > "$out/snapshots/$file" 2>/dev/null
  marker "snap $snap end kpageflags"; end=$(stamp)
  size=$(wc -c < "$out/snapshots/$file")
  echo "# mono=$begin-$end snap=$snap file=$file bytes=$((size))" >> "$out/snapshots/kpageflags.log"
}
extfrag=/sys/kernel/debug/extfrag
copy_slow() {
  copy pagetypeinfo /proc/pagetypeinfo
  copy zoneinfo /proc/zoneinfo
  copy vmstat /proc/vmstat
  copy unusable_index $extfrag/unusable_index
  copy extfrag_index $extfrag/extfrag_index
}

echo 1 > "$instance/tracing_on"
if [ $live = 1 ]; then
  cat "$instance/trace_pipe" > "$out/trace.txt" &
  pipe_pid=$!
fi
echo "record.sh: recording for $seconds s into $out (Ctrl-C ends it early and loses nothing)" >&2
copy_kpageflags
copy buddyinfo /proc/buddyinfo
copy_slow
stop=0
trap 'stop=1' INT TERM
read -r start rest < /proc/uptime; start=${start%.*}
round=0
while [ $stop = 0 ]; do
  read -r now rest < /proc/uptime
  [ $((${now%.*} - start)) -ge "$seconds" ] && break
  copy buddyinfo /proc/buddyinfo
  round=$((round + 1))
  [ $((round % 4)) = 0 ] && copy_slow
  sleep "$interval"
done
copy buddyinfo /proc/buddyinfo
copy_slow
copy_kpageflags

# --- the result ----------------------------------------------------------------------------------
echo 0 > "$instance/tracing_on"
if [ $live = 0 ]; then cat "$instance/trace" > "$out/trace.txt"; fi
for f in "$instance"/per_cpu/cpu*/stats; do
  echo "$f" | sed 's|.*/\(cpu[0-9]*\)/stats|\1|'
  cat "$f"
done > "$out/system/trace-stats.txt" 2>/dev/null
dmesg > "$out/system/dmesg.txt" 2>/dev/null
finish
lost=$(sed -n 's/^overrun: //p' "$out/system/trace-stats.txt" | awk '{ n += $1 } END { print n + 0 }' 2>/dev/null)
echo "record.sh: done, ${lost:-?} events lost. Next, where buddyscope is: buddyscope report $out" >&2
