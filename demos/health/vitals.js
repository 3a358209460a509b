// All that this page knows about Spanwire. The rest of it draws what is here.

import { connect } from "/spanwire.js";
import { delta } from "/spanwire/delta.js";

/** How many samples are kept: as many seconds. */
export const KEPT = 120;

/** A client that takes this way. Cut it, and it comes back to where it was. Of each sample it is told what is different. */
export const arrive = ({ url, ...options } = {}) => connect(url, { name: "health", connection: delta, ...options });

/** What the server says of itself each second: the samples of its `/metrics`, by name and labels. */
export class Vitals {
  /** @type {{ at: number, values: Record<string, number> }[]} oldest first */
  samples = [];
  lost = 0;

  constructor(rt, heard) {
    this.channel = rt.channel("health:node", { history: 60 });
    this.channel.on("message", ({ data }) => {
      this.samples = [...this.samples, data].slice(-KEPT);
      heard(this);
    });
    this.channel.on("gap", ({ from, to }) => (this.lost += Math.max(0, to.offset - from.offset)));
  }

  /** A number as it is now; 0 if there is none of that name. */
  now(name) {
    return this.samples.at(-1)?.values[name] ?? 0;
  }

  /** By how much a counter grew in each second from sample to sample. */
  rates(name) {
    return this.samples.slice(1).map(({ at, values }, before) => {
      const { at: was, values: had } = this.samples[before];
      return Math.max(0, (((values[name] ?? 0) - (had[name] ?? 0)) * 1000) / Math.max(1, at - was));
    });
  }

  /** All samples of a family that are not zero, by the value of their one label. */
  family(name) {
    const labelled = Object.entries(this.samples.at(-1)?.values ?? {}).map(([key, value]) => [key.match(`^${name}\\{\\w+="(.*)"\\}$`)?.[1], value]);
    return labelled.filter(([label, value]) => label !== undefined && value > 0);
  }

  /** The time within which so much of what a histogram has counted lies, in seconds; null if it has counted nothing. */
  quantile(name, part) {
    const { values = {} } = this.samples.at(-1) ?? {};
    const bounds = Object.keys(values).flatMap((key) => (key.startsWith(`${name}_bucket`) ? [[Number(key.match(/le="(.*)"/)[1].replace("+Inf", "Infinity")), values[key]]] : []));
    const all = values[`${name}_count`];
    return all ? Math.min(...bounds.filter(([, count]) => count >= all * part).map(([bound]) => bound)) : null;
  }
}
