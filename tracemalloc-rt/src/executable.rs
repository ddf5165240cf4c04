//! Where the executable is loaded: one place of it has another address in each process.

/// The executable of this process.
#[derive(Debug, Clone, Default)]
pub struct Executable {
    /// What is added to addresses in its file.
    base: usize,
    /// Addresses of its code, from (inclusive) and to (exclusive); none where that is not known.
    code: Vec<(usize, usize)>,
}

impl Executable {
    /// As the dynamic linker says; elsewhere than on Linux, nothing is known.
    pub fn of_this_process() -> Self {
        let mut executable = Self::default();
        #[cfg(target_os = "linux")]
        // SAFETY: `take` is called while this call lasts, with what the linker has and with the pointer to `executable`.
        unsafe {
            libc::dl_iterate_phdr(Some(take), (&raw mut executable).cast());
        }
        executable
    }

    /// Where in the executable's file an address of its code is.
    pub fn place_of(&self, address: usize) -> Option<usize> {
        let is_code = self.code.iter().any(|(start, end)| (*start..*end).contains(&address));
        is_code.then(|| address.wrapping_sub(self.base))
    }

    /// The address of a place in its file, if it is code.
    pub fn address_of(&self, place: usize) -> Option<usize> {
        let address = self.base.wrapping_add(place);
        self.place_of(address).map(|_| address)
    }
}

/// Notes the first module, which is the executable, and asks for no other.
#[cfg(target_os = "linux")]
unsafe extern "C" fn take(
    module: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    executable: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the linker passes a module with as many headers as it says, and the pointer that it was given.
    let (base, segments, executable) = unsafe {
        let module = &*module;
        let segments = core::slice::from_raw_parts(module.dlpi_phdr, usize::from(module.dlpi_phnum));
        (module.dlpi_addr as usize, segments, &mut *executable.cast::<Executable>())
    };
    let code = segments.iter().filter(|segment| segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_X != 0);
    *executable = Executable {
        base,
        code: code
            .map(|segment| {
                let start = base.wrapping_add(segment.p_vaddr as usize);
                (start, start.saturating_add(segment.p_memsz as usize))
            })
            .collect(),
    };
    1
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn code_of_the_executable_has_a_place_and_nothing_else_has() {
        let executable = Executable::of_this_process();
        let here = Executable::of_this_process as *const () as usize;
        let place = executable.place_of(here).expect("this is the executable's code");
        assert_eq!(executable.address_of(place), Some(here));
        assert_eq!(executable.place_of((&raw const executable).addr()), None);
        assert_eq!(executable.place_of(libc::malloc as *const () as usize), None);
    }
}
