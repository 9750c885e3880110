//! GFNI on 128-bit vectors: the key schedule, and up to eight blocks in hardly more than
//! the time of one.
//!
//! A round waits for GFNI (3 cycles), a rotation and two sums of three: six cycles where the CPU has
//! such sums. Everything else is done meanwhile.

/// Blocks that a group of vectors holds.
pub(super) const GROUP: usize = 4;

/// Defines `schedule` and `few` for a set of features, with a sum of three as these features have it.
macro_rules! narrow {
    ($features:literal, |$a:ident, $b:ident, $c:ident| $xor3:expr) => {
        /// Key expansion, 7.3. Round keys are mapped by P, with p added.
        #[target_feature(enable = $features)]
        pub(super) fn schedule(key: &Block) -> RoundKeys {
            let block = into(bytes(key));
            let fk = MAPPED_FK;
            let mut k = [
                _mm_shuffle_epi32::<0b00_00_00_00>(block),
                _mm_shuffle_epi32::<0b01_01_01_01>(block),
                _mm_shuffle_epi32::<0b10_10_10_10>(block),
                _mm_shuffle_epi32::<0b11_11_11_11>(block),
            ];
            for (k, fk) in k.iter_mut().zip(fk) {
                *k = xor(*k, word(fk));
            }
            let mut rk = [0; 32];
            for (i, rk) in rk.iter_mut().enumerate() {
                let [k0, k1, k2, k3] = k;
                let z = xor(k3, xor(xor(k1, k2), word(MAPPED_CK[i])));
                let y0 = _mm_gf2p8affineinv_epi64_epi8::<{ KEY_OUT as i32 }>(
                    z,
                    matrix(const { gfni(&KEY_M[0]) }),
                );
                let y1 = _mm_gf2p8affineinv_epi64_epi8::<0>(z, matrix(const { gfni(&KEY_M[1]) }));
                let y2 = _mm_gf2p8affineinv_epi64_epi8::<0>(z, matrix(const { gfni(&KEY_M[2]) }));
                let y3 = _mm_gf2p8affineinv_epi64_epi8::<0>(z, matrix(const { gfni(&KEY_M[3]) }));
                let sum = xor(xor(k0, y0), rotated::<1>(y1));
                let next = xor(sum, xor(rotated::<2>(y2), rotated::<3>(y3)));
                *rk = _mm_cvtsi128_si32(next) as u32 ^ u32::from_ne_bytes([IN; 4]);
                k = [k1, k2, k3, next];
            }
            rk
        }

        /// One to eight blocks.
        #[target_feature(enable = $features)]
        pub(super) fn few<const DECRYPT: bool>(rk: &RoundKeys, blocks: &mut [Block]) {
            if blocks.len() <= GROUP {
                groups::<DECRYPT, 1>(rk, blocks);
            } else {
                groups::<DECRYPT, 2>(rk, blocks);
            }
        }

        /// Up to `G` groups: none waits for another.
        #[inline]
        #[target_feature(enable = $features)]
        fn groups<const DECRYPT: bool, const G: usize>(rk: &RoundKeys, blocks: &mut [Block]) {
            let zero = _mm_setzero_si128();
            let row = |i: usize| blocks.get(i).map_or(zero, |block| into(bytes(block)));
            let mut x: [[__m128i; 4]; G] = core::array::from_fn(|g| {
                transposed([
                    row(GROUP * g),
                    row(GROUP * g + 1),
                    row(GROUP * g + 2),
                    row(GROUP * g + 3),
                ])
            });
            let rk = |i: usize| word(rk[if DECRYPT { 31 - i } else { i }]);
            let mut z = x.map(|[_, x1, x2, x3]| xor(xor3(x1, x2, x3), rk(0)));
            for i in 0..32 {
                let next_rk = rk((i + 1) % 32);
                for (x, z) in x.iter_mut().zip(&mut z) {
                    let [x0, x1, x2, x3] = *x;
                    let y1 = _mm_gf2p8affineinv_epi64_epi8::<0>(*z, matrix(const { gfni(&M1) }));
                    let y3 = _mm_gf2p8affineinv_epi64_epi8::<0>(*z, matrix(const { gfni(&M3) }));
                    let y0 = _mm_gf2p8affineinv_epi64_epi8::<{ OUT as i32 }>(
                        *z,
                        matrix(const { gfni(&M0) }),
                    );
                    let (rotated1, rotated2, rotated3) =
                        (rotated::<1>(y1), rotated::<2>(y1), rotated::<3>(y3));
                    // The next input does not wait for the next word: both are summed up side by side.
                    let known = xor(x0, xor3(x2, x3, next_rk));
                    *z = xor3(xor3(known, rotated1, rotated2), y0, rotated3);
                    *x = [x1, x2, x3, xor3(xor3(x0, rotated1, rotated2), y0, rotated3)];
                }
            }
            for (x, blocks) in x.iter().zip(blocks.chunks_mut(GROUP)) {
                let rows = transposed([x[3], x[2], x[1], x[0]]);
                for (block, row) in blocks.iter_mut().zip(rows) {
                    let plain =
                        _mm_gf2p8affine_epi64_epi8::<0>(row, matrix(const { gfni(&OUT_OF) }));
                    // SAFETY: 16 bytes may be written, at any alignment.
                    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), plain) }
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn transposed([a, b, c, d]: [__m128i; 4]) -> [__m128i; 4] {
            let (ab, cd) = (_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
            let (ab_high, cd_high) = (_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d));
            [
                _mm_unpacklo_epi64(ab, cd),
                _mm_unpackhi_epi64(ab, cd),
                _mm_unpacklo_epi64(ab_high, cd_high),
                _mm_unpackhi_epi64(ab_high, cd_high),
            ]
        }

        /// Rotates each word left by `N` bytes.
        #[inline]
        #[target_feature(enable = $features)]
        fn rotated<const N: usize>(x: __m128i) -> __m128i {
            _mm_shuffle_epi8(x, bytes(&const { rotation::<16>(N) }))
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn into(x: __m128i) -> __m128i {
            _mm_gf2p8affine_epi64_epi8::<0>(x, matrix(const { gfni(&INTO) }))
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn matrix(matrix: i64) -> __m128i {
            _mm_set1_epi64x(matrix)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn word(word: u32) -> __m128i {
            _mm_set1_epi32(word as i32)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn bytes(bytes: &Block) -> __m128i {
            // SAFETY: 16 bytes may be read, at any alignment.
            unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn xor(a: __m128i, b: __m128i) -> __m128i {
            _mm_xor_si128(a, b)
        }

        /// A sum of three.
        #[inline]
        #[target_feature(enable = $features)]
        fn xor3($a: __m128i, $b: __m128i, $c: __m128i) -> __m128i {
            $xor3
        }
    };
}

pub(super) use narrow;
