// Draws people in five styles of DiceBear that are CC0 1.0, with what is to be seen of each as `name: value`.
//
//     node avatars.mjs 400 OUT    # beside the node_modules that fetch.sh installs: so many of each style into the folder OUT
//
// The tables below were made by looking at a picture of every option. What is not plain to see at 144 pixels (stubble, earrings,
// the pixel style's beards) is left out of the pictures; what has no word (a mouth of Notionists) is left to the library.

import { Avatar, Style } from '@dicebear/core';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const HAIR_COLOURS = {
  black: '#1c1a1a', brown: '#6f4320', blond: '#e8c878', red: '#c02318', orange: '#f08018', grey: '#8f8f8f',
  white: '#f4f4f4', blue: '#2650d8', green: '#1f9e3a', purple: '#7a22a8', pink: '#f77fb4', turquoise: '#20c8c0',
};

const numbered = (...numbers) => numbers.map((number) => `variant${String(number).padStart(2, '0')}`);

// Of each style: the component that the head's options belong to, the options for hair that takes the colour, hair that stays
// black, and for what hides the hair; then the other components. A value that a style lacks is never drawn in it.
const STYLES = {
  lorelei: {
    head: 'hair',
    coloured: {
      'long hair': numbered(13, 15, 16, 21, 23, 35, 40, 41),
      'short hair': numbered(1, 2, 3, 4, 6, 7, 8, 9, 12, 22, 28, 39, 43, 47),
      '': numbered(5, 10, 14, 17, 18, 19, 20, 24, 26, 29, 30, 31, 32, 33, 36, 37, 38, 42, 44, 45, 46, 48),
    },
    colours: Object.keys(HAIR_COLOURS).filter((colour) => colour !== 'white'), // no outline: it would not show
    glasses: ['glasses', { glasses: numbered(1, 3, 4, 5), sunglasses: numbered(2) }],
    beard: ['beard', { 'a beard': numbered(1, 2) }],
    smile: ['mouth', {
      smiling: ['happy01', 'happy02', 'happy05', 'happy06', 'happy07', 'happy16'],
      'not smiling': ['sad01', 'sad02', 'sad04', 'sad05', 'sad08', 'sad09'],
    }],
  },
  notionists: {
    head: 'hair',
    black: {
      'long hair': numbered(2, 8, 10, 23, 28, 41, 46),
      'short hair': numbered(
        5, 6, 7, 12, 13, 15, 16, 18, 19, 21, 25, 26, 27, 31, 32, 33, 34, 35, 38, 44, 49, 52, 53, 54, 55, 56, 60),
      '': numbered(1, 3, 4, 9, 11, 17, 20, 22, 29, 30, 36, 37, 39, 40, 43, 45, 47, 48, 50, 51, 57, 58, 59),
    },
    covered: { 'a hat': ['hat', 'variant14'], 'a turban': ['variant61'], 'a headscarf': ['variant62', 'variant63'] },
    glasses: ['glasses', { glasses: numbered(3, 8, 11), sunglasses: numbered(1, 2, 7, 10) }],
    beard: ['beard', { 'a beard': numbered(1, 2, 8, 12), 'a moustache': numbered(3, 7, 9, 10) }],
    smile: ['mouth', {}],
  },
  'open-peeps': {
    head: 'head',
    coloured: {
      'long hair': ['bangs', 'mediumBangs2'],
      'short hair': ['grayShort', 'short4'],
      '': ['grayBun', 'grayMedium', 'mohawk', 'mohawk2'],
    },
    black: {
      'long hair': ['bangs2', 'long', 'longBangs', 'longCurly', 'medium3', 'mediumBangs3', 'mediumStraight'],
      'short hair': ['flatTop', 'pomp', 'shaved2', 'short1', 'short2', 'short3', 'short5'],
      '': ['afro', 'bantuKnots', 'buns', 'cornrows2', 'dreads1', 'dreads2', 'longAfro', 'medium1', 'medium2', 'twists'],
    },
    covered: {
      'a bald head': ['noHair1', 'noHair2'],
      'a hat': ['hatBeanie', 'hatHip'],
      'a turban': ['turban'],
      'a headscarf': ['hijab'],
    },
    glasses: ['accessories', {
      glasses: ['glasses', 'glasses2', 'glasses3', 'glasses4', 'glasses5'], sunglasses: ['sunglasses', 'sunglasses2'],
    }],
    beard: ['facialHair', {
      'a beard': ['chin', 'full', 'full2', 'full3', 'goatee2'],
      'a moustache': ['moustache2', 'moustache3', 'moustache5', 'moustache6', 'moustache7'],
    }],
    smile: ['expression', {
      smiling: ['smile', 'smileBig', 'smileLOL', 'smileTeethGap', 'calm', 'cute', 'lovingGrin1'],
      'not smiling': ['serious', 'solemn', 'suspicious', 'tired', 'veryAngry', 'concerned', 'fear'],
    }],
  },
  'pixel-art': {
    head: 'hair',
    coloured: {
      'long hair': ['long01', 'long02', 'long03', 'long07', 'long09', 'long12', 'long13', 'long17', 'long20', 'long21'],
      'short hair': [2, 3, 4, 6, 8, 10, 14, 15, 16, 17, 22].map((n) => `short${String(n).padStart(2, '0')}`),
      '': ['long04', 'long05', 'long15', 'long16', 'short11', 'short13'],
    },
    covered: { 'a hat': ['short03'] }, // the hat is a component of its own
    glasses: ['glasses', { glasses: ['light02', 'light05', 'light06', 'light07'] }],
    beard: ['beard', {}],
    smile: ['mouth', {
      smiling: ['happy06', 'happy07', 'happy09'],
      'not smiling': ['sad01', 'sad02', 'sad05', 'sad06', 'sad07'],
    }],
  },
  'voxel-art': {
    head: 'top',
    coloured: {
      'long hair': ['longStraight', 'longWavy', 'partedLong', 'twinTails'],
      'short hair': ['short', 'sideSwept'],
      '': ['afro', 'bob', 'bowl', 'braids', 'buns', 'curly', 'mohawk', 'ponytail', 'spiky'],
    },
    covered: { 'a hat': ['cap', 'beanie'] },
    glasses: ['glasses', { glasses: ['round', 'square', 'cat'], sunglasses: ['shades'] }],
    beard: ['beard', { 'a beard': ['full'], 'a moustache': ['mustache'] }],
    smile: ['mouth', { smiling: ['smile', 'bigSmile', 'wideSmile', 'grin', 'laugh'], 'not smiling': ['flat', 'frown', 'ooh'] }],
  },
};

// Mulberry32: the same avatars everywhere.
function drawer(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function chosen(name, number) {
  const { head, coloured, black, covered = {}, colours = Object.keys(HAIR_COLOURS), ...others } = STYLES[name];
  const random = drawer(number * 7919 + name.length * 104729);
  const any = (list) => list[Math.floor(random() * list.length)];
  const facts = { style: name };
  const options = { seed: `${name} ${number}`, backgroundColor: '#ffffff00', idRandomization: false };
  options.hairColor = options.headContrastColor = HAIR_COLOURS.black;
  if (Object.keys(covered).length && random() < 0.25) {
    const cover = any(Object.keys(covered));
    options[`${head}Variant`] = any(covered[cover]);
    facts[cover === 'a bald head' ? 'length' : 'hat'] = cover;
  } else {
    const dyed = coloured && (!black || random() < 0.6);
    const length = any(Object.keys(coloured ?? black));
    facts.hair = dyed ? any(colours) : 'black';
    options.hairColor = options.headContrastColor = HAIR_COLOURS[facts.hair];
    options[`${head}Variant`] = any((dyed ? coloured : black)[length]);
    if (length) facts.length = length;
  }
  for (const [fact, absent, often] of [['glasses', 'no glasses', 0.45], ['beard', 'no beard', 0.4], ['smile', '', 1]]) {
    const [component, values] = others[fact];
    const names = Object.keys(values);
    const value = names.length && random() < often ? any(names) : absent;
    if (value) facts[fact] = value;
    options[`${component}Probability`] = value in values || fact === 'smile' ? 100 : 0;
    if (value in values) options[`${component}Variant`] = any(values[value]);
  }
  if (facts.beard !== 'no beard') delete facts.smile; // the mouth is hidden
  facts.hat ??= 'no hat';
  return { facts, options };
}

const [count, out] = [Number(process.argv[2]), process.argv[3]];
mkdirSync(out, { recursive: true });
const lines = [];
for (const name of Object.keys(STYLES)) {
  const definition = JSON.parse(readFileSync(`node_modules/@dicebear/styles/src/${name}.json`, 'utf8'));
  if (definition.meta.license.name !== 'CC0 1.0') throw new Error(`${name} is ${definition.meta.license.name}`);
  const style = new Style(definition);
  for (let number = 0; number < count; number++) {
    const { facts, options } = chosen(name, number);
    for (const spare of ['earrings', 'freckles', 'hairAccessories', 'gesture', 'mask', 'accessories']) {
      if (spare in definition.components) options[`${spare}Probability`] ??= 0;
    }
    if ('hat' in definition.components) options.hatProbability = facts.hat === 'a hat' ? 100 : 0;
    if ('animation' in definition.components) options.animationVariant = 'none';
    if ('top' in definition.components) options.topProbability = 100;
    const file = `${name}-${String(number).padStart(3, '0')}.svg`;
    writeFileSync(`${out}/${file}`, new Avatar(style, options).toString());
    lines.push(JSON.stringify({ file, facts }));
  }
}
writeFileSync(`${out}/avatars.jsonl`, `${lines.join('\n')}\n`);
console.log(`${lines.length} avatars`);
