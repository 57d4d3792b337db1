//! A function for each of the CUDA libraries' that looks for its library when it is first called.
//!
//! candle links the libraries, so that its programs do not start where one is missing. Here their names are defined
//! in the program itself: each jumps to the address in its slot of a table, which `resolve` in `trampolines.c` fills.
//! Where a library is missing its functions give its error code for "not initialised".

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A library: its headers, how its functions' names begin, and the error code for "not initialised".
struct Library {
    name: &'static str,
    headers: &'static [&'static str],
    prefix: &'static str,
    files: &'static [&'static str],
    error: u32,
}

const LIBRARIES: [Library; 5] = [
    Library { name: "CUDA driver", headers: &["cuda.h"], prefix: "cu", files: &["libcuda.so.1"], error: 3 },
    Library {
        name: "cuBLAS",
        headers: &["cublas_api.h", "cublas_v2.h"],
        prefix: "cublas",
        files: &["libcublas.so.13", "libcublas.so.12"],
        error: 1,
    },
    Library {
        name: "cuBLASLt",
        headers: &["cublasLt.h"],
        prefix: "cublasLt",
        files: &["libcublasLt.so.13", "libcublasLt.so.12"],
        error: 1,
    },
    Library {
        name: "cuRAND",
        headers: &["curand.h"],
        prefix: "curand",
        files: &["libcurand.so.10"],
        error: 101,
    },
    Library {
        name: "NVRTC",
        headers: &["nvrtc.h"],
        prefix: "nvrtc",
        files: &["libnvrtc.so.13", "libnvrtc.so.12"],
        error: 11,
    },
];

/// Builds the trampolines for the functions that the toolkit's headers name, and links them in front of the libraries.
pub(super) fn build(home: &Path, out: &Path) -> Result<(), String> {
    // cudaProfiler.h is not part of every toolkit.
    let profiler = ["cuProfilerStart", "cuProfilerStop"].map(|name| (name.to_owned(), 0));
    let mut functions = BTreeSet::from(profiler);
    for (place, library) in LIBRARIES.iter().enumerate() {
        for header in library.headers {
            let path = home.join("include").join(header);
            let text = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            functions
                .extend(names(&String::from_utf8_lossy(&text), library.prefix).map(|name| (name, place)));
        }
    }
    let functions: Vec<(String, usize)> = functions.into_iter().collect();
    let (assembly, table) = (out.join("trampolines.S"), out.join("trampolines.h"));
    let write =
        |path: &Path, text: String| fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()));
    write(&assembly, self::assembly(&functions))?;
    write(&table, self::table(&functions))?;
    cc::Build::new()
        .file(&assembly)
        .file("src/kernels/cuda/build/trampolines.c")
        .include(out)
        .cargo_metadata(false)
        .try_compile("trampolines")
        .map_err(|e| format!("the trampolines do not compile: {e}"))?;
    println!("cargo:rustc-link-search=native={}", out.display());
    // The libraries are named on the linker's line by candle, and are not needed once all names are known.
    for folder in ["lib64", "lib", "lib/stubs", "lib64/stubs"] {
        println!("cargo:rustc-link-search=native={}", home.join(folder).display());
    }
    println!("cargo:rustc-link-lib=static:+whole-archive=trampolines");
    println!("cargo:rustc-link-lib=static:+whole-archive=cudart_static");
    Ok(())
}

/// The words of a header that can be functions' names: the prefix, a capital, and no type's ending.
fn names<'a>(header: &'a str, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
    let words = header.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(move |word| {
            let rest = word.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
        })
        // cublasLt's names begin as cublas' do.
        .filter(move |word| prefix != "cublas" || !word.starts_with("cublasLt"))
        .filter(|word| !word.ends_with("_t") && !word.ends_with("_st"))
        .map(str::to_owned)
}

fn assembly(functions: &[(String, usize)]) -> String {
    let mut text = ".text\n".to_owned();
    for (place, (name, _)) in functions.iter().enumerate() {
        let _ = write!(
            text,
            ".globl {name}\n.type {name},@function\n{name}:\n endbr64\n movq descent_cuda_table+{}(%rip),%r11\n \
             testq %r11,%r11\n jz 1f\n jmp *%r11\n1: movl ${place},%r11d\n jmp slow\n.size {name},.-{name}\n",
            8 * place
        );
    }
    text + SLOW
        + &format!(
            ".bss\n.globl descent_cuda_table\n.hidden descent_cuda_table\n.balign 8\ndescent_cuda_table: .skip {}\n\
         .section .note.GNU-stack,\"\",@progbits\n",
            8 * functions.len()
        )
}

/// The first call of a function: keeps what its caller passes in registers, and looks for its address.
const SLOW: &str = "slow:
 push %rbp
 mov %rsp,%rbp
 push %rdi; push %rsi; push %rdx; push %rcx; push %r8; push %r9; push %rax; push %r10
 sub $128,%rsp
 movups %xmm0,(%rsp); movups %xmm1,16(%rsp); movups %xmm2,32(%rsp); movups %xmm3,48(%rsp)
 movups %xmm4,64(%rsp); movups %xmm5,80(%rsp); movups %xmm6,96(%rsp); movups %xmm7,112(%rsp)
 mov %r11d,%edi
 call descent_cuda_resolve
 mov %rax,%r11
 movups (%rsp),%xmm0; movups 16(%rsp),%xmm1; movups 32(%rsp),%xmm2; movups 48(%rsp),%xmm3
 movups 64(%rsp),%xmm4; movups 80(%rsp),%xmm5; movups 96(%rsp),%xmm6; movups 112(%rsp),%xmm7
 add $128,%rsp
 pop %r10; pop %rax; pop %r9; pop %r8; pop %rcx; pop %rdx; pop %rsi; pop %rdi
 pop %rbp
 jmp *%r11
";

/// The tables of `trampolines.c`.
fn table(functions: &[(String, usize)]) -> String {
    let mut text = "static const struct library libraries[] = {\n".to_owned();
    for Library { name, files, error, .. } in &LIBRARIES {
        let files: Vec<String> = files.iter().map(|file| format!("\"{file}\"")).collect();
        let _ = writeln!(text, "    {{\"{name}\", {{{}, 0}}, {error}}},", files.join(", "));
    }
    text += "};\nstatic const struct function { const char *name; unsigned char library; } functions[] = {\n";
    for (name, library) in functions {
        let _ = writeln!(text, "    {{\"{name}\", {library}}},");
    }
    text + "};\n"
}
