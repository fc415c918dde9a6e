//! Replays `tests/vectors`: each case is an operation, what it is given, and what is expected.

use std::{collections::BTreeSet, fs, path::Path};

use conformance::{extraction, given::check_keys, http, problem};
use serde_json::Value;

/// The operations, by the domain that their names start with.
type Run = fn(&str, &Value) -> Option<Value>;
const RUN: &[(&str, Run)] =
    &[("extraction", extraction::run), ("http", http::run), ("problem", problem::run)];

fn read_json(path: &Path) -> Value {
    let text = fs::read(path).unwrap();
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Replays a file; what went wrong, case by case, and how many cases there were.
fn replay(path: &Path, run: Run) -> (Vec<String>, usize) {
    let file = read_json(path);
    check_keys(&file, &["about", "source", "cases"]);
    assert!(file["about"].is_string() && file["source"].is_string(), "{}", path.display());
    let cases = file["cases"].as_array().expect("cases");
    let mut names = BTreeSet::new();
    let mut faults = Vec::new();
    for case in cases {
        check_keys(case, &["name", "op", "given", "expect"]);
        let (name, op) = (case["name"].as_str().unwrap(), case["op"].as_str().unwrap());
        assert!(names.insert(name), "{}: two cases are called {name}", path.display());
        let expected = case.get("expect").expect("what is expected");
        let found = run(op, &case["given"]).unwrap_or_else(|| panic!("no operation {op}"));
        if found != *expected {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            faults.push(format!("{file}: {name}\n  expected {expected}\n  found    {found}"));
        }
    }
    (faults, cases.len())
}

#[test]
fn vectors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut faults = Vec::new();
    for (domain, run) in RUN {
        let mut files: Vec<_> =
            fs::read_dir(root.join(domain)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "no vectors of {domain}");
        let mut count = 0;
        for path in files {
            let (mut found, cases) = replay(&path, *run);
            assert!(cases > 0, "{}: no case", path.display());
            count += cases;
            faults.append(&mut found);
        }
        println!("{domain}: {count} cases");
    }
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let known = RUN.iter().any(|(domain, _)| name == *domain) || name == "errors.json";
        assert!(known, "nobody replays {}", path.display());
    }
    assert!(faults.is_empty(), "{} cases fail:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_list_of_errors_is_complete() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/errors.json");
    let list = read_json(&path);
    let errors = list["errors"].as_array().unwrap();
    let listed: Vec<_> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(listed, silkline::codes::ALL);
    for error in errors {
        check_keys(error, &["code", "class", "fields", "feature"]);
        assert!(error["class"].is_string() && error["fields"].is_array(), "{error}");
    }
}
