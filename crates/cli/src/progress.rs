//! A progress bar for work that takes longer than a second, on a terminal only.

use std::{
    io::{IsTerminal, stderr},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// A terminal has room for one bar: of files that are read at the same time one shows how far it is.
static SHOWN: AtomicBool = AtomicBool::new(false);

pub(crate) struct Progress {
    started: Instant,
    len: Option<u64>,
    done: u64,
    bar: Option<ProgressBar>,
    wanted: bool,
}

impl Progress {
    pub(crate) fn new(len: Option<u64>) -> Self {
        Self { started: Instant::now(), len, done: 0, bar: None, wanted: stderr().is_terminal() }
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if !self.wanted || self.started.elapsed() < Duration::from_secs(1) {
            return;
        }
        if self.bar.is_none() && !SHOWN.swap(true, Ordering::Relaxed) {
            self.bar = Some(start(self.len));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            SHOWN.store(false, Ordering::Relaxed);
        }
    }
}

fn start(len: Option<u64>) -> ProgressBar {
    let template = match len {
        Some(_) => "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}",
        None => "{spinner} {bytes} {binary_bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template).expect("a fixed template");
    len.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style)
}
