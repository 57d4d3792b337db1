//! Loops as vector code for the machine that the program runs on.

/// Defines a function that is compiled for several instruction sets and runs as the newest that the machine has. Its
/// generics stand in square brackets.
///
/// The body must be inlined into the code of each instruction set. A closure or function that is handed to
/// `pulp::Arch::dispatch` need not be, since it is called from several places, and is then compiled for the oldest set;
/// so this makes a type of each body. For the same reason a body has `for` loops, not `for_each` with a closure.
macro_rules! vectorized {
    ($(#[$meta:meta])* $vis:vis fn $name:ident[$($generics:tt)*]($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $crate::kernels::vectorized::vectorized! {
            $(#[$meta])* $vis fn $name[$($generics)*]($($arg: $type),*) -> () $body
        }
    };
    (
        $(#[$meta:meta])* $vis:vis fn $name:ident[$($generics:tt)*]($($arg:ident: $type:ty),* $(,)?) -> $out:ty
        $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name<$($generics)*>($($arg: $type),*) -> $out {
            struct Call<A>(A);
            impl<$($generics)*> pulp::NullaryFnOnce for Call<($($type,)*)> {
                type Output = $out;

                #[inline(always)]
                fn call(self) -> $out {
                    let ($($arg,)*) = self.0;
                    $body
                }
            }
            pulp::Arch::new().dispatch(Call(($($arg,)*)))
        }
    };
}
pub(super) use vectorized;
