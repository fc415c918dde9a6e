//! Runs every vector: the cases that hold in all languages.

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use conformance::{given::check_keys, vectors};
use serde_json::Value;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_case_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let (mut cases, mut failed) = (0, Vec::new());
    // Files right below the root are lists, not cases.
    for file in files(&root).iter().filter(|file| file.parent() != Some(&root)) {
        let vector: Value = serde_json::from_slice(&fs::read(file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        check_keys(&vector, &["about", "source", "cases"]);
        let list = vector["cases"].as_array().expect("a list of cases");
        assert!(!list.is_empty(), "{} has no case", file.display());
        for case in list {
            check_keys(case, &["name", "op", "given", "expect"]);
            let op = case["op"].as_str().expect("an operation");
            let outcome = catch_unwind(|| vectors::run(op, &case["given"]));
            cases += 1;
            let label = format!("{}: {}", file.display(), case["name"]);
            match outcome {
                Ok(Some(outcome)) if outcome == case["expect"] => {}
                Ok(Some(outcome)) => {
                    failed.push(format!(
                        "{label}\n  got      {outcome}\n  expected {}",
                        case["expect"]
                    ));
                }
                Ok(None) => failed.push(format!("{label}: no operation is called {op}")),
                Err(_) => failed.push(format!("{label}: panicked")),
            }
        }
    }
    assert!(cases > 0, "no vector was found below {}", root.display());
    assert!(failed.is_empty(), "{} of {cases} cases failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn the_list_of_errors_is_complete() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/errors.json");
    let list: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let errors = list["errors"].as_array().unwrap();
    let listed: Vec<_> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(listed, silkline::codes::ALL);
    for error in errors {
        check_keys(error, &["code", "class", "fields", "feature"]);
        assert!(error["class"].is_string() && error["fields"].is_array(), "{error}");
    }
}
