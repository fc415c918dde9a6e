//! Turns the compiled `silkline_wasm.wasm` into the module and glue that the npm package carries.
//!
//! It stands in for the `wasm-bindgen` command line: it is compiled from the lock file of this
//! workspace, so its version cannot differ from the library's, and it builds in a fraction of the
//! time.

use std::{env, process::ExitCode};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let [Some(input), Some(output), Some(name), None] = [(); 4].map(|()| arguments.next()) else {
        eprintln!("usage: silkline-wasm-builder INPUT.wasm OUTPUT_FOLDER NAME");
        return ExitCode::FAILURE;
    };
    match build(&input, &output, &name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The `web` target, because its glue is handed the module instead of looking for it: the same
/// glue then serves Node, workers and bundlers.
fn build(input: &str, output: &str, name: &str) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .web(true)
        .map_err(|error| format!("{error:#}"))?
        .out_name(name)
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.generate(output).map_err(|error| format!("{error:#}"))
}
