;; Element-wise addition of float32 vectors in the arena, and copies inside it.
;; Addresses and lengths are in bytes; vectors start at multiples of 4. The target of an addition may be one of its
;; operands, but must not overlap one otherwise.
(module
  (import "arena" "memory" (memory 1 65536 shared))

  ;; target[i] = left[i] + right[i] over `bytes` bytes
  (func (export "add") (param $target i32) (param $left i32) (param $right i32) (param $bytes i32)
    (local $i i32)      ;; byte offset of the next element
    (local $bulk i32)   ;; bytes that are added 64 at a time: four independent vectors hide the latency of loads
    (local.set $bulk (i32.and (local.get $bytes) (i32.const 0xffffffc0)))
    (if (local.get $bulk)
      (then
        (loop $vectors
          (v128.store
            (i32.add (local.get $target) (local.get $i))
            (f32x4.add
              (v128.load (i32.add (local.get $left) (local.get $i)))
              (v128.load (i32.add (local.get $right) (local.get $i)))))
          (v128.store offset=16
            (i32.add (local.get $target) (local.get $i))
            (f32x4.add
              (v128.load offset=16 (i32.add (local.get $left) (local.get $i)))
              (v128.load offset=16 (i32.add (local.get $right) (local.get $i)))))
          (v128.store offset=32
            (i32.add (local.get $target) (local.get $i))
            (f32x4.add
              (v128.load offset=32 (i32.add (local.get $left) (local.get $i)))
              (v128.load offset=32 (i32.add (local.get $right) (local.get $i)))))
          (v128.store offset=48
            (i32.add (local.get $target) (local.get $i))
            (f32x4.add
              (v128.load offset=48 (i32.add (local.get $left) (local.get $i)))
              (v128.load offset=48 (i32.add (local.get $right) (local.get $i)))))
          (br_if $vectors
            (i32.lt_u
              (local.tee $i (i32.add (local.get $i) (i32.const 64)))
              (local.get $bulk))))))
    (block $done
      (loop $elements
        (br_if $done (i32.ge_u (local.get $i) (local.get $bytes)))
        (f32.store
          (i32.add (local.get $target) (local.get $i))
          (f32.add
            (f32.load (i32.add (local.get $left) (local.get $i)))
            (f32.load (i32.add (local.get $right) (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br $elements))))

  ;; copies `bytes` bytes; the regions may overlap
  (func (export "copy") (param $target i32) (param $source i32) (param $bytes i32)
    (memory.copy (local.get $target) (local.get $source) (local.get $bytes))))
