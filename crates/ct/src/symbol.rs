//! Names for addresses, with binutils' addr2line.

use std::process::Command;

/// Function and line of an address, as far as the debug information goes.
pub(crate) fn name(maps: &str, address: u64) -> String {
    let Some((file, offset)) = locate(maps, address) else {
        return format!("{address:#x}");
    };
    let output = Command::new("addr2line")
        .args(["--demangle", "--functions", "--inlines", "--pretty-print", "--exe", &file])
        .arg(format!("{offset:#x}"))
        .output();
    let place = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    format!("{file}+{offset:#x}: {}", place.unwrap_or_default().trim())
}

/// File and offset in its image; every file here begins with a mapping of its start.
fn locate(maps: &str, address: u64) -> Option<(String, u64)> {
    let mut base = 0;
    let mut file = "";
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let (start, end) = (number(start)?, number(end)?);
        let path = fields.nth(4).unwrap_or_default();
        if path != file {
            (file, base) = (path, start);
        }
        if (start..end).contains(&address) {
            return file.starts_with('/').then(|| (file.to_owned(), address - base));
        }
    }
    None
}

/// Where a mapping of that name lies.
pub(crate) fn range(maps: &str, name: &str) -> Option<std::ops::Range<u64>> {
    let line = maps.lines().find(|line| line.ends_with(name))?;
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    Some(number(start)?..number(end)?)
}

fn number(hex: &str) -> Option<u64> {
    u64::from_str_radix(hex, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_from_the_first_mapping_of_a_file() {
        let maps = "5000-6000 r--p 00000000 00:00 1 /lib/a.so\n\
                    6000-8000 r-xp 00001000 00:00 1 /lib/a.so\n\
                    9000-a000 rw-p 00000000 00:00 0 [heap]\n";
        assert_eq!(locate(maps, 0x6010), Some(("/lib/a.so".to_owned(), 0x1010)));
        assert_eq!(locate(maps, 0x9010), None);
        assert_eq!(locate(maps, 0x8010), None);
        assert_eq!(range(maps, "[heap]"), Some(0x9000..0xa000));
        assert_eq!(range(maps, "[vdso]"), None);
    }
}
