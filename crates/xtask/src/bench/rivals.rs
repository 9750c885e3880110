//! What the rivals' own benchmark says.

use crate::run::{self, Result};

/// Their folders under `target/peers`, which `cargo xtask peers` fills.
pub(super) const RIVALS: [&str; 2] = ["openssl4", "tongsuo"];

pub(super) fn title(name: &str) -> &'static str {
    if name == "tongsuo" { "Tongsuo 8.5" } else { "OpenSSL 4" }
}

/// What is measured of a rival.
pub(super) enum Rival {
    /// A cipher or a hash over 16 KiB.
    Bytes(&'static str),
    /// The same over 64 bytes.
    Short(&'static str),
    /// SM2 signatures made, and checked.
    Sign,
    Verify,
}

impl Rival {
    /// Bytes, or operations, per second: the best of three runs, since whatever else the machine does
    /// only makes it slower.
    pub(super) fn measure(&self, name: &str) -> Result<f64> {
        let mut best: f64 = 0.0;
        for _ in 0..3 {
            best = best.max(self.once(name)?);
        }
        Ok(best)
    }

    fn once(&self, name: &str) -> Result<f64> {
        // The last line that begins with +F has the figures at its end: of a cipher one, of SM2 those of
        // signatures made and checked.
        let (what, bytes, from_end) = match self {
            Self::Bytes(what) => (*what, 16384, 1),
            Self::Short(what) => (*what, 64, 1),
            Self::Sign => ("sm2", 64, 2),
            Self::Verify => ("sm2", 64, 1),
        };
        let folder = run::root().join("target/peers").join(name);
        let line = format!(
            "{} speed -seconds 1 -bytes {bytes} -mr {what}",
            folder.join("apps/openssl").display()
        );
        let mut command = run::command(&line);
        command.env("LD_LIBRARY_PATH", &folder);
        let output = command.output().map_err(|error| format!("`{line}`: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().rev().find(|line| line.starts_with("+F"));
        let figure = last.and_then(|line| line.rsplit(':').nth(from_end - 1));
        let figure = figure.and_then(|figure| figure.trim().parse().ok());
        figure.ok_or_else(|| format!("`{line}` printed no figure:\n{text}"))
    }
}
