//! The book: its links lead somewhere, and its shell commands run as they are printed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    ffi,
    run::{self, Result},
};

/// Checks all pages, runs their commands, and builds the book where mdBook is installed.
pub(crate) fn check() -> Result {
    let source = run::root().join("docs/src");
    let mut pages = Vec::new();
    collect(&source, &mut pages)?;
    let summary = read(&source.join("SUMMARY.md"))?;
    for page in &pages {
        check_links(page)?;
        let relative = page.strip_prefix(&source).expect("collected below it").display();
        if page.file_name() != Some("SUMMARY.md".as_ref())
            && !summary.contains(&format!("({relative})"))
        {
            return Err(format!("{relative} is not in SUMMARY.md"));
        }
    }
    check_links(&run::root().join("README.md"))?;
    check_links(&run::root().join("README.zh-CN.md"))?;
    run::run(ffi::BUILD)?;
    for page in &pages {
        run_commands(page)?;
    }
    if run::succeeds("mdbook --version") {
        run::run("mdbook build docs --dest-dir ../target/book")?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn collect(dir: &Path, pages: &mut Vec<PathBuf>) -> Result {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for entry in entries.filter_map(std::result::Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    Ok(())
}

/// Every relative link names a file.
fn check_links(page: &Path) -> Result {
    let text = read(page)?;
    for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let file = target.split('#').next().unwrap_or_default();
        if file.is_empty() || target.contains("://") {
            continue;
        }
        let directory = page.parent().expect("a page is in a folder");
        if !directory.join(file).exists() {
            return Err(format!("{}: the link {target} leads nowhere", page.display()));
        }
    }
    Ok(())
}

/// Runs the page's `sh` blocks one after the other in a fresh folder, as a reader would.
fn run_commands(page: &Path) -> Result {
    let text = read(page)?;
    let blocks: Vec<_> =
        text.split("\n```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    if blocks.is_empty() {
        return Ok(());
    }
    println!("running the commands of {}", page.display());
    let dir = run::root().join("target/book-commands");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", run::root().join("target/debug").display());
    let output = Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", &blocks.join("\n")])
        .current_dir(&dir)
        .env("PATH", path)
        .output()
        .map_err(|error| format!("bash: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "a command of {} failed:\n{}{}",
        page.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}
