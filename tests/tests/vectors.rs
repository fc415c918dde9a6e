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

/// The operations of the cases that a row of the mapping tables names.
fn operations(root: &Path, row: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (file, names) in row["cases"].as_object().expect("names by file") {
        let file = fs::read(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let vector: Value = serde_json::from_slice(&file).unwrap();
        let cases = vector["cases"].as_array().unwrap();
        for name in names.as_array().expect("names of cases") {
            let case = cases.iter().find(|case| case["name"] == *name);
            let case = case.unwrap_or_else(|| panic!("no case is named {name}: {row}"));
            found.push(case["op"].as_str().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn every_row_of_the_mapping_tables_has_its_cases() {
    const ITEMS: [(&str, &[&str]); 2] = [
        ("from Zyte API", &["zyte_api.from_zyte_api"]),
        ("to Zyte API", &["zyte_api.to_zyte_api"]),
    ];
    const REQUESTS: [(&str, &[&str]); 3] = [
        ("bridge", &["bridge."]),
        ("dialect", &["engine.", "zyte_api."]),
        ("service", &["service."]),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let list: Value =
        serde_json::from_slice(&fs::read(root.join("mapping.json")).unwrap()).unwrap();
    check_keys(&list, &["about", "source", "tables"]);
    let mut missing = Vec::new();
    for table in list["tables"].as_array().expect("tables") {
        check_keys(table, &["table", "rows"]);
        let sides: &[(&str, &[&str])] = if table["table"] == "items" { &ITEMS } else { &REQUESTS };
        for row in table["rows"].as_array().expect("rows") {
            check_keys(row, &["older", "newer", "without", "cases"]);
            let ops = operations(&root, row);
            for (side, prefixes) in sides {
                let stated = ops.iter().any(|op| prefixes.iter().any(|it| op.starts_with(it)));
                // What a side has no case for, it says why.
                if stated == row["without"][side].is_string() {
                    missing.push(format!("{} / {}: {side}", row["older"], row["newer"]));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{} without a case:\n{}", missing.len(), missing.join("\n"));
}
