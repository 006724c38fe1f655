/**
 * Pictures of items, drawn from their SKUs: the same SKU gives the same picture, and nothing is
 * fetched for it.
 */
import type { JSX } from "preact";

type Draw = (next: () => number) => JSX.Element;

/** A motif, and the hue that goes with it. */
interface Motif {
  readonly hue: number;
  readonly draw: Draw;
}

const circle = (cx: number, cy: number, r: number, tone: string): JSX.Element => (
  <circle class={tone} cx={cx} cy={cy} r={r} />
);
const path = (d: string, tone: string): JSX.Element => <path class={tone} d={d} />;
const block = (x: number, y: number, width: number, height: number, tone: string, rx = 0) => (
  <rect class={tone} x={x} y={y} width={width} height={height} rx={rx} />
);
const between = (next: () => number, low: number, high: number): number =>
  Math.round(low + next() * (high - low));

const MOTIFS: Readonly<Record<string, Motif>> = {
  BOO: {
    hue: 28,
    draw(next) {
      const tones = ["one", "two", "three"];
      let x = 24;
      const spines: JSX.Element[] = [];
      while (x < 92) {
        const width = between(next, 8, 18);
        const height = between(next, 48, 76);
        spines.push(block(x, 96 - height, width, height, tones[spines.length % 3] ?? "one", 1.5));
        x += width + 2;
      }
      return <>{spines}{block(18, 96, 84, 3, "line")}</>;
    },
  },
  CLO: {
    hue: 345,
    draw(next) {
      const fold = between(next, 38, 56);
      return (
        <>
          {path("M36 34 L50 26 Q60 34 70 26 L84 34 L98 56 L86 64 L82 56 V96 H38 V56 L34 64 L22 56 Z", "one")}
          {path(`M38 ${fold + 18} H82 V${fold + 28} H38 Z`, "two")}
          {next() > 0.5 ? circle(60, 46, 4, "three") : path("M38 90 H82 V96 H38 Z", "three")}
        </>
      );
    },
  },
  ELE: {
    hue: 220,
    draw(next) {
      const dial = between(next, 12, 20);
      return (
        <>
          {block(24, 30, 72, 60, "one", 10)}
          {circle(60, 60, dial + 6, "two")}
          {circle(60, 60, dial - 4, "three")}
          {circle(between(next, 34, 40), 40, 3, "line")}
          {circle(86, 80, 3, "line")}
        </>
      );
    },
  },
  GAR: {
    hue: 128,
    draw(next) {
      const lean = between(next, -8, 8);
      return (
        <>
          {path(`M60 98 Q${60 + lean} 66 60 30`, "stem")}
          {path(`M60 72 Q30 ${64 + lean} 28 40 Q56 42 60 72 Z`, "one")}
          {path(`M60 60 Q88 ${54 - lean} 94 30 Q64 32 60 60 Z`, "two")}
          {circle(60, between(next, 22, 30), 7, "three")}
        </>
      );
    },
  },
  HOM: {
    hue: 45,
    draw(next) {
      const sun = between(next, 44, 76);
      return (
        <>
          {path("M26 96 V58 A34 34 0 0 1 94 58 V96 Z", "one")}
          {circle(sun, 58, 13, "three")}
          {path("M26 96 V82 Q60 66 94 84 V96 Z", "two")}
        </>
      );
    },
  },
  KIT: {
    hue: 12,
    draw(next) {
      const steam = between(next, -6, 6);
      return (
        <>
          {path("M24 60 H96 A36 36 0 0 1 24 60 Z", "one")}
          {block(46, 92, 28, 5, "two", 2)}
          {path(`M50 50 q${steam} -8 0 -16 M62 50 q${-steam} -10 0 -20 M74 50 q${steam} -8 0 -16`, "stroke")}
          {circle(between(next, 44, 76), 68, 5, "three")}
        </>
      );
    },
  },
  OUT: {
    hue: 190,
    draw(next) {
      const peak = between(next, 46, 58);
      return (
        <>
          {circle(between(next, 76, 92), 36, 9, "three")}
          {path(`M14 96 L${peak} 38 L${peak + 44} 96 Z`, "one")}
          {path(`M52 96 L${peak + 28} 58 L108 96 Z`, "two")}
        </>
      );
    },
  },
  STA: {
    hue: 262,
    draw(next) {
      const tilt = between(next, -14, 14);
      const lines = [44, 54, 64, 74].map((y) => block(42, y, between(next, 20, 36), 2.5, "line", 1));
      return (
        <>
          {block(32, 26, 56, 70, "one", 3)}
          {lines}
          <g transform={`rotate(${tilt + 38} 78 66)`}>
            {block(75, 36, 7, 52, "two", 1)}
            {path("M75 88 L78.5 97 L82 88 Z", "three")}
          </g>
        </>
      );
    },
  },
  TOO: {
    hue: 205,
    draw(next) {
      const turn = between(next, 0, 60);
      return (
        <>
          <g transform={`rotate(${turn} 60 60)`}>
            {path("M60 24 L91 42 V78 L60 96 L29 78 V42 Z", "one")}
          </g>
          {circle(60, 60, 19, "ground")}
          {circle(60, 60, between(next, 7, 12), "three")}
        </>
      );
    },
  },
  TOY: {
    hue: 310,
    draw(next) {
      const shift = between(next, -6, 6);
      return (
        <>
          {block(28, 64, 32, 32, "one", 3)}
          {circle(78, 80, 16, "two")}
          {path(`M${34 + shift} 62 L${52 + shift} 30 L${70 + shift} 62 Z`, "three")}
        </>
      );
    },
  },
};

const OTHER: Motif = {
  hue: 80,
  draw: (next) => (
    <>
      {circle(between(next, 44, 76), 54, 28, "one")}
      {block(30, 70, 60, 26, "two", 4)}
      {circle(60, 70, 8, "three")}
    </>
  ),
};

/** Numbers from 0 to 1 that a text decides. Source: FNV-1a for the seed, xorshift for the rest. */
function numbersOf(text: string): () => number {
  let state = 2_166_136_261;
  for (const character of text) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  }
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** The picture of an item, which says nothing that its name does not. */
export function ItemPicture({ sku }: { readonly sku: string }): JSX.Element {
  const { hue, draw } = MOTIFS[sku.slice(0, 3)] ?? OTHER;
  const next = numbersOf(sku);
  // A little beside the hue of its kind, so that neighbours differ.
  const own = hue + between(next, -14, 14);
  return (
    <svg class="picture" viewBox="0 0 120 120" aria-hidden="true" style={{ "--hue": `${own}` }}>
      {block(0, 0, 120, 120, "ground")}
      {draw(next)}
    </svg>
  );
}
