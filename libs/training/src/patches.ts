/** Replaced members of foreign objects, undone in reverse order. */
export class Patches {
  private readonly undos: (() => void)[] = [];

  /** Replaces `target[key]` by what `make` returns for the member as it was. */
  replace<T extends object, K extends keyof T>(target: T, key: K, make: (original: T[K]) => T[K]): void {
    const own = Object.getOwnPropertyDescriptor(target, key);
    const original = target[key];
    Object.defineProperty(target, key, { value: make(original), writable: true, configurable: true, enumerable: own?.enumerable ?? false });
    this.undos.push(() => {
      if (own) Object.defineProperty(target, key, own);
      else Reflect.deleteProperty(target, key);
    });
  }

  undo(): void {
    for (const undo of this.undos.reverse()) undo();
    this.undos.length = 0;
  }
}
