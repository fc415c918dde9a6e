//! A module of the core may use only modules of lower layers, and peers only where listed.

use std::{fs, path::Path};

/// Each module with the modules it may use. Whoever adds a module says here where it stands.
const MAY_USE: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("rng", &[]),
    ("http", &["time"]),
    ("json", &[]),
    ("schedule", &["time", "rng"]),
    ("problem", &["http", "json"]),
    ("extraction", &["http", "json", "problem"]),
    ("proxy", &["http", "json", "problem"]),
    ("zyte_api", &["http", "json", "problem", "extraction", "proxy", "rng"]),
    (
        "engine",
        &["time", "rng", "http", "json", "schedule", "problem", "extraction", "proxy", "zyte_api"],
    ),
    ("service", &["time", "rng", "http", "json", "problem", "extraction", "proxy", "zyte_api"]),
    (
        "error",
        &[
            "http",
            "json",
            "schedule",
            "problem",
            "extraction",
            "proxy",
            "zyte_api",
            "engine",
            "service",
            "plan",
        ],
    ),
    (
        "bridge",
        &["time", "rng", "http", "json", "problem", "extraction", "proxy", "zyte_api", "service"],
    ),
    (
        "plan",
        &[
            "time",
            "rng",
            "http",
            "schedule",
            "extraction",
            "proxy",
            "zyte_api",
            "engine",
            "service",
        ],
    ),
];

/// Items of the crate root that any module may name.
const ROOT: &[(&str, &str)] = &[("Timestamp", "time"), ("Rng", "rng")];

fn used_modules(source: &str) -> Vec<String> {
    let code = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut used = Vec::new();
    for after in code.split("crate::").skip(1) {
        let names: Vec<&str> = if let Some(list) = after.strip_prefix('{') {
            // The first name of each item of a braced list, at depth one.
            let mut depth = 1;
            let mut items = vec![String::new()];
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => items.push(String::new()),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                if let Some(item) = items.last_mut() {
                    item.push(c);
                }
            }
            used.extend(items.iter().map(|item| first_name(item.trim_matches(',').trim())));
            continue;
        } else {
            vec![after]
        };
        used.extend(names.into_iter().map(first_name));
    }
    used.retain(|name| !name.is_empty());
    used
}

fn first_name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn check(file: &Path, module: &str, faults: &mut Vec<String>) {
    let source = fs::read_to_string(file).unwrap();
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
        faults.push(format!("module {module} has no layer: add it to MAY_USE"));
        return;
    };
    for used in used_modules(&source) {
        let used = ROOT.iter().find(|(item, _)| *item == used).map_or(used.as_str(), |(_, m)| m);
        if used != module && used != "VERSION" && !allowed.contains(&used) {
            faults.push(format!("{} uses {used}", file.display()));
        }
    }
}

fn walk(folder: &Path, module: &str, faults: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, module, faults);
        } else {
            check(&path, module, faults);
        }
    }
}

#[test]
fn no_module_reaches_upward() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let mut faults = Vec::new();
    let mut modules = 0;
    for entry in fs::read_dir(&source).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if module == "lib" {
            continue;
        }
        modules += 1;
        if path.is_dir() {
            walk(&path, &module, &mut faults);
        } else {
            check(&path, &module, &mut faults);
        }
    }
    assert!(modules >= 3, "nothing was read below {}", source.display());
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn an_import_is_seen_in_every_form() {
    let source =
        "use crate::{a::B, c::{D, E}, f};\ncrate::g::h(); // crate::comment\nuse crate::i;";
    assert_eq!(used_modules(source), ["a", "c", "f", "g", "i"]);
}
