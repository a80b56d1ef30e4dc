import fs from 'node:fs';
import path from 'node:path';

const DRIVER_FOLDER = '/proc/driver/nvidia/gpus';

/** The model of the first NVIDIA GPU that the driver knows (`NVIDIA H200`), or undefined. */
export function gpuModel(folder = DRIVER_FOLDER): string | undefined {
  if (!fs.existsSync(folder)) return undefined;
  for (const bus of fs.readdirSync(folder).sort()) {
    const model = /^Model:\s*(.+)$/m.exec(fs.readFileSync(path.join(folder, bus, 'information'), 'utf8'))?.[1];
    if (model !== undefined) return model.trim();
  }
  return undefined;
}
