/**
 * The page's one style sheet. Colours are variables: light by default, dark when the system or the
 * reader asks for it, plain on paper.
 */
const DARK = `--paper:#0f1318;--card:#161b22;--ink:#e8ecf1;--faint:#a3adba;--line:#2d3540;--soft:#1d242d;
--accent:#58b4f0;--bar:rgba(88,180,240,.25);--bad:#ff8a4c;--warn:#f2c14e;--good:#4fd1a1;--shadow:none;color-scheme:dark;`;

export const STYLE = `
:root{--paper:#f5f6f8;--card:#ffffff;--ink:#1c2430;--faint:#566070;--line:#dfe3e8;--soft:#eef1f4;
--accent:#0969a8;--bar:rgba(10,132,198,.2);--bad:#b34700;--warn:#7d5700;--good:#00694c;--shadow:0 1px 2px rgba(20,30,45,.06);
color-scheme:light;}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${DARK}}}
:root[data-theme=dark]{${DARK}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--card);padding:6px 10px;z-index:20}
.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.top,main,footer{max-width:1360px;margin:0 auto;padding:0 24px}
.top{padding-top:22px}
.brand{display:flex;align-items:center;gap:8px;font-weight:650;letter-spacing:.01em}
.brand .title{font-weight:400;color:var(--faint);overflow-wrap:anywhere}
.brand .title::before{content:"/";margin-right:8px;color:var(--line)}
.logo{width:18px;height:18px;border-radius:4px;background:conic-gradient(from 0deg at 50% 50%,#d55e00 0 25%,#0a84c6 0 50%,#26828e 0 75%,#a0da39 0)}
.meta{margin:4px 0 14px;color:var(--faint);font-size:13.5px}
.verdict{margin:0 0 12px;padding:2px 0 2px 16px;border-left:5px solid var(--faint);font-size:clamp(18px,1.75vw,23px);line-height:1.3;font-weight:600;max-width:58em;text-wrap:pretty}
.verdict.bad{border-color:var(--bad)}.verdict.warn{border-color:var(--warn)}.verdict.good{border-color:var(--good)}
.gloss{margin:0 0 12px;padding-left:21px;color:var(--faint);font-size:14px;max-width:92em;text-wrap:pretty}.gloss b{font-weight:600;color:var(--ink)}
.facts{list-style:none;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,215px),1fr));gap:12px;margin:0 0 16px;padding:0}
.facts li{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:9px 16px;box-shadow:var(--shadow)}
.figure{display:block;font-size:22px;font-weight:650;font-variant-numeric:tabular-nums}
.fact{color:var(--faint);font-size:14px;line-height:1.4;display:block}
.toolbar{position:sticky;top:0;z-index:10;background:var(--paper);border-bottom:1px solid var(--line);padding:8px 24px}
.toolbar>*{max-width:1312px;margin:0 auto}
.navigator{height:34px}.navigator canvas{width:100%;height:34px;display:block;cursor:crosshair;border-radius:6px;touch-action:none}
.controls{display:flex;flex-wrap:wrap;align-items:center;gap:6px 9px;padding-top:6px;font-size:13.5px}
.still .navigator{height:0;overflow:hidden}.still .grow,.still #range,.still #zoom-in,.still #reset{display:none}
.controls label{display:inline-flex;align-items:center;gap:6px;color:var(--faint)}
#gfp{width:15.2em}.controls .grow{flex:1 1 100px}.controls input[type=range]{flex:1;width:90px;min-width:90px;accent-color:var(--accent)}
#range{font-variant-numeric:tabular-nums;min-width:13em;color:var(--ink)}
button,select{font:inherit;font-size:13.5px;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:7px;padding:3px 10px;min-height:28px}
button{cursor:pointer}button:disabled{opacity:.45;cursor:default}button:hover,select:hover{border-color:var(--accent)}
main:focus{outline:0}:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
main{padding-top:16px;padding-bottom:24px}
h2{font-size:20px;margin:34px 0 2px;font-weight:640}h3,.card-title{font-size:15.5px;margin:0 0 8px;font-weight:620}h4{font-size:14px;margin:12px 0 4px}
.which{color:var(--faint);font-weight:400;font-size:13.5px}
.lead{margin:0 0 10px;color:var(--faint)}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;margin:0 0 14px;box-shadow:var(--shadow);min-width:0}
.words p,.words li{max-width:74em;overflow-wrap:anywhere}.words p{margin:0 0 8px}.words ul{margin:0;padding-left:20px}.words li{margin:4px 0}
.with-panel{display:grid;grid-template-columns:minmax(0,1fr);gap:14px}
@media (min-width:1180px){.with-panel{grid-template-columns:minmax(0,1fr) 390px;align-items:start}.state{position:sticky;top:112px;max-height:calc(100vh - 126px)}}
.plot{position:relative;touch-action:pan-y;border-radius:6px}
.plot canvas{display:block}
.plot:not(.drawn){background:var(--soft)}
.plot:not(.drawn)::after{content:"The chart appears here once the script of this page has run.";position:absolute;inset:0;display:grid;place-content:center;padding:0 16px;text-align:center;color:var(--faint)}
[data-ready] .plot:not(.drawn)::after{content:"Drawing…"}
.vega{overflow:hidden}
.cursor-line{position:absolute;width:1px;background:var(--ink);opacity:.75;pointer-events:none;left:0;will-change:transform}
.cursor-line.fixed{width:2px;background:var(--accent);opacity:1}
.brush{position:absolute;background:var(--accent);opacity:.18;pointer-events:none}
.below{display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13.5px;margin-top:4px}
.below details[open]{flex-basis:100%;min-width:0;max-width:100%}
a{color:var(--accent)}
summary{cursor:pointer;color:var(--accent);padding:3px 0}
.how p{margin:4px 0 6px;max-width:70em}
.caveat{margin:2px 0 4px;font-size:13.5px}.empty{margin:4px 0;padding:16px;border-radius:8px;background:var(--soft);color:var(--faint)}
.table-wrap{overflow:auto;max-height:340px;border:1px solid var(--line);border-radius:8px;margin:6px 0}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:4px 10px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{position:sticky;top:0;background:var(--soft);font-weight:600}thead th{overflow-wrap:normal}
th.n,td.n{text-align:right;white-space:nowrap;overflow-wrap:normal}
tr:last-child td{border-bottom:0}
.log td:first-child,.log td:nth-child(2){white-space:nowrap}.log td:nth-child(3){min-width:9em}.log td:nth-child(n+4){min-width:14em}
code{font-size:.92em;overflow-wrap:anywhere}.hash{white-space:nowrap}
.quiet{color:var(--faint)}
.badge{display:inline-block;border-radius:99px;padding:0 9px;font-size:12.5px;border:1px solid currentColor;white-space:nowrap}
.badge.error,.badge.fails{color:var(--bad)}.badge.warning,.badge.undetermined,.badge.bounded,.badge.unknown{color:var(--warn)}
.badge.info{color:var(--faint)}.badge.succeeds,.badge.exact{color:var(--good)}
.segmented{display:flex;flex-wrap:wrap;gap:4px;margin:0 0 8px}
.segmented button[aria-pressed=true]{background:var(--accent);border-color:var(--accent);color:var(--card)}
.state{font-size:13.5px;overflow:auto;overflow-wrap:anywhere}
.state .table-wrap{max-height:none}.state h3{margin:12px 0 4px;font-size:14px}.state p{margin:0 0 8px}.state .answer{font-size:15px}
.state ol,.state ul{margin:0 0 8px;padding-left:20px}.state li{margin:0 0 5px}
.state .step{display:flex;gap:6px;flex-wrap:wrap;margin:0 0 8px}.state .step button{padding:3px 8px}
.zones .chosen strong{text-decoration:underline}
.inline{font-weight:400;color:var(--faint);margin-left:8px}
.pages-views{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:8px 24px;align-items:start}
.pages-views p{margin:0 0 6px;min-height:30px}.pages-choice{display:flex;gap:6px;align-items:center}.pages-choice .inline{margin:0;min-width:0}select{max-width:100%}
#pages-grid,#blocks-grid{width:100%;display:block}#blocks-grid{cursor:pointer}#pages-grid{max-width:608px}
.strip-row{display:grid;grid-template-columns:5.5em 1fr;gap:8px;align-items:center;margin:2px 0}
.strip{width:100%;height:16px;cursor:pointer;border-radius:3px}
.strip,.hatched{background:repeating-linear-gradient(135deg,transparent 0 3px,rgba(128,136,148,.55) 3px 4px)}
button.csv{font-size:12.5px}.table-wrap:not(:has(table)){border:0}.table-wrap:not(:has(table))+.csv{display:none}button.link{border:0;padding:0;min-height:0;background:none;color:var(--accent);text-decoration:underline}
.lists td{background:linear-gradient(to left,var(--bar) var(--share,0%),transparent 0)}.table-wrap .none{margin:4px 10px;color:var(--faint)}.lists td.none{color:var(--faint)}
.lists thead th{white-space:normal}.lists .small th,.lists .small td{color:var(--faint)}.lists th[scope=row]{font-weight:400;white-space:nowrap;position:static;background:none}
.lists td,.lists th,.events td,.events th{padding:2px 8px}.total td,.total th{font-weight:600;border-top:2px solid var(--line);white-space:normal}
.events .now td{font-weight:600;background:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;font-size:13px;margin-top:6px}
.legend i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:5px;vertical-align:-1px}
#tooltip{position:fixed;z-index:30;pointer-events:none;background:var(--ink);color:var(--card);border-radius:7px;padding:6px 10px;font-size:12.5px;max-width:340px;box-shadow:0 4px 14px rgba(0,0,0,.25)}
#tooltip dl{display:grid;grid-template-columns:auto 1fr;gap:0 10px;margin:0}#tooltip dt{opacity:.75}#tooltip dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
footer{color:var(--faint);font-size:13.5px;padding-bottom:40px;overflow-wrap:anywhere}
details.plain summary{font-weight:600}
.note{max-width:min(1312px,calc(100% - 48px));margin:8px auto;padding:8px 12px;background:var(--soft);border-radius:8px}
@media (max-width:640px){.top,main,footer{padding-left:12px;padding-right:12px}.toolbar{position:static;padding:8px 12px}.card{padding:12px}#range{min-width:0}.table-wrap table{min-width:34em}.state table,#replay table{min-width:0}}
@page{margin:12mm}
@media print{:root,:root[data-theme=dark],:root:not([data-theme=light]){--paper:#fff;--card:#fff;--ink:#000;--faint:#444;--line:#ccc;--soft:#f3f3f3;--accent:#0969a8;--bar:rgba(10,132,198,.25);--bad:#b34700;--warn:#7d5700;--good:#00694c;--shadow:none;color-scheme:light}
.toolbar,.skip,.export,.table,.segmented,#tooltip,.state .step,button.link,.how:not([open]){display:none!important}.group>.lead{break-after:avoid}*{print-color-adjust:exact}.card,.facts li{break-inside:avoid;border-color:#ccc}
.with-panel{grid-template-columns:1fr}.state{position:static;max-height:none;break-inside:auto}.pages{break-inside:avoid}.pages:not(.drawn){display:none}.pages-choice button{display:none}.state>div>:has(table){break-inside:avoid}.table-wrap{max-height:none;overflow:visible}.top,main,footer{max-width:none;padding:0 1px}body{font-size:12px}h2,h3{break-after:avoid}thead th.n{white-space:normal}th{position:static}tr{break-inside:avoid}footer table{font-size:10px}footer td:first-child{min-width:17em}footer th,footer td{padding:2px 6px}canvas{max-width:100%!important;height:auto!important}}
`;
