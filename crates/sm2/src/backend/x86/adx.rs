//! Products with MULX, ADCX and ADOX, which keep two chains of carries apart; sums and differences whose
//! carries stay in the flags; and the table read by vectors.

use core::arch::{asm, x86_64::*};

use super::{Arithmetic, cpu};
use crate::arith::{Kernel, Saturated};

impl Arithmetic for cpu::Adx {
    type Number = Saturated<Adx>;
}

/// The kernel: the arithmetic of tokens that prove that the CPU has ADX, BMI2 and AVX2. Nothing
/// computes with it but their methods, and tests that had one.
#[derive(Clone, Copy, Default)]
pub(super) struct Adx;

/// Subtracts p from t0 to t3 with the carry, which are below 2p, if they are p or more: that is if the carry
/// is there, or the sum with 2^256 - p = 2^224 + 2^96 - 2^64 + 1 leaves one.
macro_rules! subtract_p {
    () => {
        "mov edx, 0
         adc edx, edx
         mov {x:e}, -1
         lea {y}, [{x} + 1]
         mov {t4}, {t0}
         mov {t5}, {t1}
         mov {t6}, {t2}
         mov {t7}, {t3}
         add {t4}, 1
         adc {t5}, {x}
         adc {t6}, 0
         adc {t7}, {y}
         adc edx, 0
         cmovnz {t0}, {t4}
         cmovnz {t1}, {t5}
         cmovnz {t2}, {t6}
         cmovnz {t3}, {t7}"
    };
}

/// Montgomery's reduction of t0 to t7, to t0 to t3, as in `Saturated`: four times the lowest word m goes
/// away by adding m·p, that is by adding m·(2^192 + 1) - (m << 32)·(2^128 + 1) - (m >> 32)·(2^192 + 2^64)
/// to what is above it, and m's register takes the word that is then the highest. Carries out of it
/// and borrows cancel, for the sum is below 2^256.
macro_rules! reduce {
    ($($product:expr,)*) => {
        concat!(
            $($product, "\n",)*
            "mov edx, 32\n",
            reduce!(@step t0 t1 t2 t3),
            reduce!(@step t1 t2 t3 t0),
            reduce!(@step t2 t3 t0 t1),
            reduce!(@step t3 t0 t1 t2),
            "add {t0}, {t4}
             adc {t1}, {t5}
             adc {t2}, {t6}
             adc {t3}, {t7}\n",
            subtract_p!(),
        )
    };
    (@step $m:ident $a:ident $b:ident $c:ident) => {
        concat!(
            "shlx {x}, {", stringify!($m), "}, rdx
             shrx {y}, {", stringify!($m), "}, rdx
             add {", stringify!($a), "}, {", stringify!($m), "}
             adc {", stringify!($b), "}, 0
             adc {", stringify!($c), "}, 0
             adc {", stringify!($m), "}, 0
             sub {", stringify!($a), "}, {x}
             sbb {", stringify!($b), "}, {y}
             sbb {", stringify!($c), "}, {x}
             sbb {", stringify!($m), "}, {y}\n",
        )
    };
}

/// Adds a word of b times a to t1 to t4, and makes t5: the low halves in one chain of carries, the high ones in
/// the other.
#[rustfmt::skip]
macro_rules! row {
    ($word:literal, $t1:ident $t2:ident $t3:ident $t4:ident $t5:ident) => {
        concat!(
            "mov rdx, ", $word, "
             xor {x:e}, {x:e}
             mulx {y}, {x}, [{a}]
             adcx {", stringify!($t1), "}, {x}
             adox {", stringify!($t2), "}, {y}
             mulx {y}, {x}, [{a} + 8]
             adcx {", stringify!($t2), "}, {x}
             adox {", stringify!($t3), "}, {y}
             mulx {y}, {x}, [{a} + 16]
             adcx {", stringify!($t3), "}, {x}
             adox {", stringify!($t4), "}, {y}
             mulx {", stringify!($t5), "}, {x}, [{a} + 24]
             mov edx, 0
             adcx {", stringify!($t4), "}, {x}
             adox {", stringify!($t5), "}, rdx
             adcx {", stringify!($t5), "}, rdx",
        )
    };
}

impl Kernel for Adx {
    #[inline]
    fn add(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        let [mut t0, mut t1, mut t2, mut t3] = *a;
        // SAFETY: 32 bytes are read from a reference to as many, nothing is written, and every register
        // that changes is an output. There is no instruction that not every x86-64 has.
        unsafe {
            asm!(
                "add {t0}, [{b}]",
                "adc {t1}, [{b} + 8]",
                "adc {t2}, [{b} + 16]",
                "adc {t3}, [{b} + 24]",
                subtract_p!(),
                b = in(reg) b,
                t0 = inout(reg) t0, t1 = inout(reg) t1, t2 = inout(reg) t2, t3 = inout(reg) t3,
                t4 = out(reg) _, t5 = out(reg) _, t6 = out(reg) _, t7 = out(reg) _,
                x = out(reg) _, y = out(reg) _, out("rdx") _,
                options(pure, readonly, nostack),
            );
        }
        [t0, t1, t2, t3]
    }

    /// Where there is a borrow p is added, whose words are -1, -1 << 32, -1, and -1 without bit 32.
    #[inline]
    fn sub(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        let [mut t0, mut t1, mut t2, mut t3] = *a;
        // SAFETY: as in [`Adx::add`].
        unsafe {
            asm!(
                "sub {t0}, [{b}]",
                "sbb {t1}, [{b} + 8]",
                "sbb {t2}, [{b} + 16]",
                "sbb {t3}, [{b} + 24]",
                "sbb {x}, {x}",
                "mov {y}, {x}",
                "shl {y}, 32",
                "mov {z}, {x}",
                "btr {z}, 32",
                "add {t0}, {x}",
                "adc {t1}, {y}",
                "adc {t2}, {x}",
                "adc {t3}, {z}",
                b = in(reg) b,
                t0 = inout(reg) t0, t1 = inout(reg) t1, t2 = inout(reg) t2, t3 = inout(reg) t3,
                x = out(reg) _, y = out(reg) _, z = out(reg) _,
                options(pure, readonly, nostack),
            );
        }
        [t0, t1, t2, t3]
    }

    #[inline]
    fn multiply(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        let (t0, t1, t2, t3);
        // SAFETY: the CPU has the instructions, see [`Adx`]. 32 bytes are read from each of two
        // references to as many, nothing is written, and every register that changes is an output.
        unsafe {
            asm!(reduce!(
                "mov rdx, [{b}]",
                "mulx {t1}, {t0}, [{a}]",
                "mulx {t2}, {x}, [{a} + 8]",
                "mulx {t3}, {y}, [{a} + 16]",
                "add {t1}, {x}",
                "adc {t2}, {y}",
                "mulx {t4}, {x}, [{a} + 24]",
                "adc {t3}, {x}",
                "adc {t4}, 0",
                row!("[{b} + 8]", t1 t2 t3 t4 t5),
                row!("[{b} + 16]", t2 t3 t4 t5 t6),
                row!("[{b} + 24]", t3 t4 t5 t6 t7),
            ),
                a = in(reg) a, b = in(reg) b,
                t0 = out(reg) t0, t1 = out(reg) t1, t2 = out(reg) t2, t3 = out(reg) t3,
                t4 = out(reg) _, t5 = out(reg) _, t6 = out(reg) _, t7 = out(reg) _,
                x = out(reg) _, y = out(reg) _, out("rdx") _,
                options(pure, readonly, nostack),
            );
        }
        [t0, t1, t2, t3]
    }

    /// Six products, doubled, and four squares of words.
    #[inline]
    fn square(a: &[u64; 4]) -> [u64; 4] {
        let (t0, t1, t2, t3);
        // SAFETY: the CPU has the instructions, see [`Adx`]. 32 bytes are read from a reference to as
        // many, nothing is written, and every register that changes is an output.
        unsafe {
            asm!(reduce!(
                "mov rdx, [{a}]",
                "mulx {t2}, {t1}, [{a} + 8]",
                "mulx {t3}, {x}, [{a} + 16]",
                "mulx {t4}, {y}, [{a} + 24]",
                "add {t2}, {x}",
                "adc {t3}, {y}",
                "adc {t4}, 0",
                "mov rdx, [{a} + 8]",
                "xor {t7:e}, {t7:e}",
                "mulx {y}, {x}, [{a} + 16]",
                "adcx {t3}, {x}",
                "adox {t4}, {y}",
                "mulx {t5}, {x}, [{a} + 24]",
                "adcx {t4}, {x}",
                "adox {t5}, {t7}",
                "mov rdx, [{a} + 16]",
                "mulx {t6}, {x}, [{a} + 24]",
                "adcx {t5}, {x}",
                "adcx {t6}, {t7}",
                "xor {t7:e}, {t7:e}",
                "mov rdx, [{a}]",
                "mulx {x}, {t0}, rdx",
                "adcx {t1}, {t1}",
                "adox {t1}, {x}",
                "mov rdx, [{a} + 8]",
                "mulx {y}, {x}, rdx",
                "adcx {t2}, {t2}",
                "adox {t2}, {x}",
                "adcx {t3}, {t3}",
                "adox {t3}, {y}",
                "mov rdx, [{a} + 16]",
                "mulx {y}, {x}, rdx",
                "adcx {t4}, {t4}",
                "adox {t4}, {x}",
                "adcx {t5}, {t5}",
                "adox {t5}, {y}",
                "mov rdx, [{a} + 24]",
                "mulx {y}, {x}, rdx",
                "adcx {t6}, {t6}",
                "adox {t6}, {x}",
                "adcx {t7}, {t7}",
                "adox {t7}, {y}",
            ),
                a = in(reg) a,
                t0 = out(reg) t0, t1 = out(reg) t1, t2 = out(reg) t2, t3 = out(reg) t3,
                t4 = out(reg) _, t5 = out(reg) _, t6 = out(reg) _, t7 = out(reg) _,
                x = out(reg) _, y = out(reg) _, out("rdx") _,
                options(pure, readonly, nostack),
            );
        }
        [t0, t1, t2, t3]
    }

    #[inline]
    fn select(entries: &[[u8; 64]], number: u64) -> [u64; 8] {
        // SAFETY: the CPU has the instructions, see [`Adx`].
        unsafe { select(entries, number) }
    }
}

#[target_feature(enable = "avx2")]
fn select(entries: &[[u8; 64]], number: u64) -> [u64; 8] {
    let number = _mm256_set1_epi64x(number as i64);
    let one = _mm256_set1_epi64x(1);
    let (mut j, mut low, mut high) = (one, _mm256_setzero_si256(), _mm256_setzero_si256());
    for entry in entries {
        let wanted = opaque(_mm256_cmpeq_epi64(number, j));
        let (halves, _) = entry.as_chunks::<32>();
        low = _mm256_or_si256(low, _mm256_and_si256(wanted, load(&halves[0])));
        high = _mm256_or_si256(high, _mm256_and_si256(wanted, load(&halves[1])));
        j = _mm256_add_epi64(j, one);
    }
    let mut words = [0; 8];
    let (halves, _) = words.as_chunks_mut::<4>();
    store(&mut halves[0], low);
    store(&mut halves[1], high);
    words
}

/// The same, for all the compiler knows: that a mask is all or nothing is not for it to use.
#[inline]
#[target_feature(enable = "avx2")]
fn opaque(mut x: __m256i) -> __m256i {
    // SAFETY: no instruction at all, on a register.
    unsafe {
        asm!("/* {0} */", inout(ymm_reg) x, options(pure, nomem, nostack, preserves_flags));
    }
    x
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: reads 32 bytes from a reference to as many, at any alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(words: &mut [u64; 4], vector: __m256i) {
    // SAFETY: writes 32 bytes to a reference to as many, at any alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), vector) }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::{Adx, cpu};

    #[test]
    fn the_kernel_is_right() {
        match cpu::Adx::detect() {
            Some(_) => crate::arith::is_right::<Adx>(),
            None => std::println!("NOT RUN: adx, this CPU has not got what it needs"),
        }
    }
}
