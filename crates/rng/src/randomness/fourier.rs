//! Test 15: the discrete Fourier transform.

use rustfft::{FftPlanner, num_complex::Complex};

use super::Outcome;

pub(super) fn test(bits: &[u8]) -> Option<Outcome> {
    let n = bits.len() as f64;
    if bits.len() < 4 {
        return None;
    }
    let signed = |bit: &u8| Complex::new(f64::from(*bit) * 2.0 - 1.0, 0.0);
    let mut wave: Vec<_> = bits.iter().map(signed).collect();
    FftPlanner::new().plan_fft_forward(wave.len()).process(&mut wave);
    let threshold = (2.995_732_274 * n).sqrt();
    let below = wave[..bits.len() / 2].iter().filter(|c| c.norm() < threshold).count() as f64;
    let expected = 0.95 * n / 2.0;
    Some(Outcome::normal((below - expected) / (n * 0.95 * 0.05 / 3.8).sqrt()))
}
