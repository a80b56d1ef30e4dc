import type { SchemaFeature } from './schema';

/** A schema in text format, as tensorflow_metadata reads it; features in the order given. */
export function formatSchema(features: readonly SchemaFeature[]): string {
  return features.map((feature) => {
    const lines = [`  name: ${quote(feature.name)}`];
    const { valueCount, presence, shape } = feature;
    if (valueCount) lines.push(...block('value_count', [['min', valueCount.min], ['max', valueCount.max]]));
    lines.push(`  type: ${feature.type}`);
    if (presence) lines.push(...block('presence', [['min_fraction', presence.minFraction === undefined ? undefined : float(presence.minFraction)], ['min_count', presence.minCount]]));
    if (shape) lines.push('  shape {', ...shape.flatMap((size) => ['    dim {', `      size: ${size}`, '    }']), '  }');
    if (feature.disabled) lines.push('  lifecycle_stage: DEPRECATED');
    return `feature {\n${lines.join('\n')}\n}\n`;
  }).join('');
}

const block = (name: string, fields: readonly (readonly [string, number | string | undefined])[]): string[] => [
  `  ${name} {`,
  ...fields.flatMap(([field, value]) => (value === undefined ? [] : [`    ${field}: ${value}`])),
  '  }',
];

const float = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : `${value}`);

const quote = (text: string): string =>
  `"${[...Buffer.from(text, 'utf8')].map((byte) => (byte === 0x22 || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`)).join('')}"`;
