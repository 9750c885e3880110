//! A progress bar for work that takes longer than a second, on a terminal only.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

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
        let bar = self.bar.get_or_insert_with(|| start(self.len));
        bar.set_position(self.done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
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
