//! What most kernels have in common: how many blocks go through which vectors, and the order of
//! the rounds.

/// Defines `crypt`, which works on any number of blocks with what stands around the invocation:
///
/// - `Vector`, of which four hold a group of `GROUP` blocks, word by word;
/// - `read_rows` and `words`: blocks become words, mapped by P (`backend::affine`); `rows`: the same
///   back, in the reversed order of words (the transformation R); `xor_rows` and `write_rows` then;
/// - `prefix` and `counters`: words of counter blocks, in the order in which `words` would give them;
/// - `round`: x0 + L(S(z)) for a group, where z = x1 + x2 + x3 + rk.
///
/// `$wide` groups are in flight at once while there are enough blocks, for a round's instructions
/// wait for each other within a group only.
macro_rules! drive {
    ($features:literal, wide: $wide:literal) => {
        /// Encrypts blocks, or decrypts them: the same with the round keys reversed.
        #[target_feature(enable = $features)]
        fn crypt<const DECRYPT: bool>(rk: &RoundKeys, blocks: &mut [Block]) {
            let (wide, rest) = blocks.as_chunks_mut::<{ $wide * GROUP }>();
            for blocks in wide {
                groups::<DECRYPT, $wide>(rk, blocks.as_chunks_mut::<GROUP>().0);
            }
            let (groups_left, rest) = rest.as_chunks_mut::<GROUP>();
            let (two, one) = groups_left.as_chunks_mut::<2>();
            for two in two {
                groups::<DECRYPT, 2>(rk, two);
            }
            for one in one {
                groups::<DECRYPT, 1>(rk, core::slice::from_mut(one));
            }
            if !rest.is_empty() {
                few::<DECRYPT>(rk, rest);
            }
        }

        /// `G` groups, of which there are as many in `blocks`.
        #[inline]
        #[target_feature(enable = $features)]
        fn groups<const DECRYPT: bool, const G: usize>(
            rk: &RoundKeys,
            blocks: &mut [[Block; GROUP]],
        ) {
            let mut x = [words(read_rows(&blocks[0])); G];
            for (x, blocks) in x.iter_mut().zip(&*blocks).skip(1) {
                *x = words(read_rows(blocks));
            }
            let x = rounds::<DECRYPT, G>(rk, x);
            for (x, blocks) in x.iter().zip(blocks) {
                write_rows(rows(x), blocks);
            }
        }

        /// Encrypts blocks, or decrypts them, between two additions of their masks.
        #[target_feature(enable = $features)]
        fn masked<const DECRYPT: bool>(rk: &RoundKeys, blocks: &mut [Block], masks: &[Block]) {
            let (wide, rest) = blocks.as_chunks_mut::<{ $wide * GROUP }>();
            let (wide_masks, rest_masks) = masks.as_chunks::<{ $wide * GROUP }>();
            for (blocks, masks) in wide.iter_mut().zip(wide_masks) {
                let (blocks, masks) = (blocks.as_chunks_mut().0, masks.as_chunks().0);
                masked_groups::<DECRYPT, $wide>(rk, blocks, masks);
            }
            let (one, rest) = rest.as_chunks_mut::<GROUP>();
            let (one_masks, rest_masks) = rest_masks.as_chunks::<GROUP>();
            for (blocks, masks) in one.iter_mut().zip(one_masks) {
                let (blocks, masks) = (core::slice::from_mut(blocks), core::slice::from_ref(masks));
                masked_groups::<DECRYPT, 1>(rk, blocks, masks);
            }
            if !rest.is_empty() {
                crate::block::xor(rest.as_flattened_mut(), rest_masks.as_flattened());
                few::<DECRYPT>(rk, rest);
                crate::block::xor(rest.as_flattened_mut(), rest_masks.as_flattened());
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn masked_groups<const DECRYPT: bool, const G: usize>(
            rk: &RoundKeys,
            blocks: &mut [[Block; GROUP]],
            masks: &[[Block; GROUP]],
        ) {
            let whitened = |i: usize, blocks: &[[Block; GROUP]]| {
                words(xor_rows(read_rows(&blocks[i]), &masks[i]))
            };
            let mut x = [whitened(0, blocks); G];
            for (i, x) in x.iter_mut().enumerate().skip(1) {
                *x = whitened(i, blocks);
            }
            let x = rounds::<DECRYPT, G>(rk, x);
            for ((x, blocks), masks) in x.iter().zip(blocks).zip(masks) {
                write_rows(xor_rows(rows(x), masks), blocks);
            }
        }

        /// Adds keystream to whole blocks; of the counter the last 32 bits are counted, and wrap.
        #[target_feature(enable = $features)]
        fn ctr(rk: &RoundKeys, counter: &Block, mut data: InOutBlocks<'_, '_>) {
            let (prefix, mut count) = (prefix(counter), last_word(counter));
            while data.len() >= $wide * GROUP {
                let (now, rest) = data.split_at($wide * GROUP);
                ctr_groups::<$wide>(rk, &prefix, count, now);
                count = count.wrapping_add($wide * GROUP as u32);
                data = rest;
            }
            while data.len() >= GROUP {
                let (now, rest) = data.split_at(GROUP);
                ctr_groups::<1>(rk, &prefix, count, now);
                count = count.wrapping_add(GROUP as u32);
                data = rest;
            }
            if !data.is_empty() {
                let mut stream = [[0; 16]; GROUP];
                let stream = &mut stream[..data.len()];
                fill_counters(stream, counter, count);
                few::<false>(rk, stream);
                xor_blocks(data, stream);
                wipe(stream);
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn ctr_groups<const G: usize>(
            rk: &RoundKeys,
            prefix: &[Vector; 3],
            count: u32,
            mut data: InOutBlocks<'_, '_>,
        ) {
            let mut x = [counters(prefix, count); G];
            for (i, x) in (0_u32..).zip(&mut x).skip(1) {
                *x = counters(prefix, count.wrapping_add(i * GROUP as u32));
            }
            let x = rounds::<false, G>(rk, x);
            for (i, x) in x.iter().enumerate() {
                let input = Array::cast_slice_to_core(data.get_in()).as_chunks::<GROUP>().0;
                let added = xor_rows(rows(x), &input[i]);
                let output = Array::cast_slice_to_core_mut(data.get_out());
                write_rows(added, &mut output.as_chunks_mut::<GROUP>().0[i]);
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn rounds<const DECRYPT: bool, const G: usize>(
            rk: &RoundKeys,
            mut x: [[Vector; 4]; G],
        ) -> [[Vector; 4]; G] {
            for i in 0..8 {
                let rk: [Vector; 4] = core::array::from_fn(|j| {
                    word(rk[if DECRYPT { 31 - 4 * i - j } else { 4 * i + j }])
                });
                // Two rounds have a sum of two words in common.
                let common = x.map(|[_, _, x2, x3]| xor(x2, x3));
                for ([x0, x1, _, _], common) in x.iter_mut().zip(common) {
                    *x0 = round(*x0, xor3(*x1, common, rk[0]));
                }
                for ([x0, x1, _, _], common) in x.iter_mut().zip(common) {
                    *x1 = round(*x1, xor3(*x0, common, rk[1]));
                }
                let common = x.map(|[x0, x1, _, _]| xor(x0, x1));
                for ([_, _, x2, x3], common) in x.iter_mut().zip(common) {
                    *x2 = round(*x2, xor3(*x3, common, rk[2]));
                }
                for ([_, _, x2, x3], common) in x.iter_mut().zip(common) {
                    *x3 = round(*x3, xor3(*x2, common, rk[3]));
                }
            }
            x
        }
    };
}

/// Defines a function for fewer blocks than a group has: it takes a whole one, filled up with zeros.
macro_rules! padded {
    ($features:literal, $visibility:vis fn $name:ident) => {
        #[target_feature(enable = $features)]
        $visibility fn $name<const DECRYPT: bool>(rk: &RoundKeys, blocks: &mut [Block]) {
            let mut group = [[0; 16]; GROUP];
            group[..blocks.len()].copy_from_slice(blocks);
            groups::<DECRYPT, 1>(rk, core::slice::from_mut(&mut group));
            blocks.copy_from_slice(&group[..blocks.len()]);
            wipe(&mut group);
        }
    };
}

/// Implements the backend for a token, by what [`drive`] defines, a key schedule, and the two functions
/// of a hash. All of them need no more features than the token stands for.
macro_rules! backend {
    ($token:ty, schedule: $schedule:path, hash: $hash_key:path, $hash:path) => {
        impl Backend for $token {
            fn schedule(&self, key: &Block) -> RoundKeys {
                // SAFETY: this value proves that the CPU has the features.
                unsafe { $schedule(key) }
            }

            fn encrypt(&self, rk: &RoundKeys, blocks: &mut [Block]) {
                // SAFETY: this value proves that the CPU has the features.
                unsafe { crypt::<false>(rk, blocks) }
            }

            fn decrypt(&self, rk: &RoundKeys, blocks: &mut [Block]) {
                // SAFETY: this value proves that the CPU has the features.
                unsafe { crypt::<true>(rk, blocks) }
            }

            fn masked(&self, rk: &RoundKeys, blocks: &mut [Block], masks: &[Block], decrypt: bool) {
                // SAFETY: this value proves that the CPU has the features.
                unsafe {
                    if decrypt {
                        masked::<true>(rk, blocks, masks);
                    } else {
                        masked::<false>(rk, blocks, masks);
                    }
                }
            }

            fn ctr(&self, rk: &RoundKeys, counter: &Block, data: InOutBlocks<'_, '_>) {
                // SAFETY: this value proves that the CPU has the features.
                unsafe { ctr(rk, counter, data) }
            }

            fn hash_key(&self, h: &Block) -> HashKey {
                // SAFETY: this value proves that the CPU has the features.
                unsafe { $hash_key(h) }
            }

            fn hash(&self, key: &HashKey, y: &mut Block, blocks: &[Block]) {
                // SAFETY: this value proves that the CPU has the features.
                unsafe { $hash(key, y, blocks) }
            }
        }
    };
}

pub(super) use {backend, drive, padded};
