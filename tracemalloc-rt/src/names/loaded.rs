//! The files that are loaded into this process, and their addresses: one place of a file has
//! another address in each process.

/// The executable and the libraries of this process.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    files: Vec<LoadedFile>,
}

/// The executable or a library.
#[derive(Debug, Clone)]
struct LoadedFile {
    /// Absolute.
    path: String,
    /// The number to add to an address in the file.
    base: usize,
    /// Addresses of its code, from (inclusive) and to (exclusive).
    code: Vec<(usize, usize)>,
}

/// A place in the code of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file, absolute.
    pub file: &'a str,
    /// The address, as the file counts it.
    pub address: usize,
}

impl Loaded {
    /// The files that the dynamic linker lists. On other systems than Linux the list is empty.
    pub fn now() -> Self {
        #[cfg(target_os = "linux")]
        {
            let mut loaded = Self::default();
            // SAFETY: the linker calls `take` only during this call, with its own record of a
            // module and with the pointer to `loaded`. Nothing else refers to `loaded` meanwhile.
            unsafe {
                libc::dl_iterate_phdr(Some(take), (&raw mut loaded).cast());
            }
            loaded
        }
        #[cfg(not(target_os = "linux"))]
        Self::default()
    }

    /// The file and the place of the code at this address; `None` if no file has code there.
    pub fn place_of(&self, address: usize) -> Option<Place<'_>> {
        let has_it = |file: &&LoadedFile| {
            file.code.iter().any(|(start, end)| (*start..*end).contains(&address))
        };
        let file = self.files.iter().find(has_it)?;
        Some(Place { file: &file.path, address: address.wrapping_sub(file.base) })
    }
}

/// Adds a module to the list. The linker calls it.
#[cfg(target_os = "linux")]
unsafe extern "C" fn take(
    module: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    loaded: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the linker passes a module with as many headers as it says, and the pointer that it
    // was given. A name is null or ends with a zero.
    let (name, base, segments, loaded) = unsafe {
        let module = &*module;
        let name =
            (!module.dlpi_name.is_null()).then(|| core::ffi::CStr::from_ptr(module.dlpi_name));
        let segments =
            core::slice::from_raw_parts(module.dlpi_phdr, usize::from(module.dlpi_phnum));
        (name, module.dlpi_addr as usize, segments, &mut *loaded.cast::<Loaded>())
    };
    // The first is the executable. Its name is empty here, or, in a static one, `/proc/self/exe`,
    // which is another file in the provider's process.
    let path = if loaded.files.is_empty() {
        std::env::current_exe().ok().and_then(|path| path.into_os_string().into_string().ok())
    } else {
        name.map(|name| name.to_string_lossy().into_owned())
    };
    let code = segments
        .iter()
        .filter(|segment| segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_X != 0);
    loaded.files.push(LoadedFile {
        path: path.unwrap_or_default(),
        base,
        code: code
            .map(|segment| {
                let start = base.wrapping_add(segment.p_vaddr as usize);
                (start, start.saturating_add(segment.p_memsz as usize))
            })
            .collect(),
    });
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn code_has_a_place_in_a_file_and_nothing_else_has() {
        let loaded = Loaded::now();
        let here = Loaded::now as *const () as usize;
        let place = loaded.place_of(here).expect("this is the executable's code");
        let executable = std::env::current_exe().expect("this is a program");
        assert_eq!((Some(place.file), place.address > 0), (executable.to_str(), true));
        assert_eq!(loaded.place_of((&raw const loaded).addr()), None);
        let in_library = loaded.place_of(libc::getpid as *const () as usize);
        assert!(in_library.is_none_or(
            |place| place.file != executable.to_str().unwrap() || cfg!(target_env = "musl")
        ));
    }
}
