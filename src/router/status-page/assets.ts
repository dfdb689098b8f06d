// Style and script of the status page: of the package itself, answered under the page's own address (its policy allows no others).

export const STYLE = `
:root{color-scheme:light dark;--line:#d0d5db;--soft:#f3f5f7;--dim:#5a6570;--good:#1a7f37;--bad:#b42318;--warn:#9a6700;--ink:#0b62c4}
@media (prefers-color-scheme:dark){:root{--line:#3a424b;--soft:#1c2127;--dim:#9aa5b1;--good:#4ac26b;--bad:#ff7b72;--warn:#e3b341;--ink:#58a6ff}}
*{box-sizing:border-box}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:84rem;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.3rem;margin:.2rem 0}h2{font-size:1.05rem;margin:1.6rem 0 .5rem}
header{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline}header p{margin:0;color:var(--dim)}
.tiles,.charts{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));margin:.8rem 0}
.charts{grid-template-columns:repeat(auto-fit,minmax(15rem,1fr))}
.tile,.chart,.failure{border:1px solid var(--line);border-radius:6px;padding:.5rem .7rem;margin:0;background:var(--soft)}
.tile b{display:block;font-size:1.25rem}.tile span,small,figcaption{color:var(--dim)}figcaption b{color:CanvasText}
svg{display:block;width:100%;height:3rem;margin-top:.3rem}
polyline{fill:none;stroke:var(--ink);stroke-width:1.5;stroke-linecap:round;vector-effect:non-scaling-stroke}
.failure{margin:.4rem 0;border-left:4px solid var(--bad)}.failure p{margin:.15rem 0}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--dim);font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.warn{color:var(--warn);font-weight:600}
a{color:var(--ink)}summary{cursor:pointer}details table{margin:.3rem 0 .6rem;font-size:.9em}
:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
@media (max-width:44rem){
thead{display:none}
tr,td{display:block;border:0}tr{border:1px solid var(--line);border-radius:6px;margin:.4rem 0;padding:.3rem .5rem}
td{padding:.1rem 0}td[data-name]::before{content:attr(data-name) ': ';color:var(--dim)}.n{text-align:left}
}`;

/** Fetches the page again and puts its middle into the place of the old one; what was unfolded stays so. */
export const SCRIPT = `
'use strict';
const unfolded = () => new Set([...document.querySelectorAll('details[open]')].map((it) => it.id));
async function refresh() {
  if (document.hidden) return;
  const state = document.getElementById('live');
  try {
    const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const open = unfolded();
    for (const it of page.querySelectorAll('details')) it.open = open.has(it.id);
    document.querySelector('main').replaceWith(document.adoptNode(page.querySelector('main')));
    state.textContent = 'live';
  } catch {
    state.textContent = 'no answer; what is shown is old';
  }
}
document.getElementById('live').textContent = 'live';
setInterval(() => void refresh(), 5000);
`;
