//! Many messages, one per lane of the vectors: what all vectors have in common.

/// Defines `compress_lanes` over what stands around the invocation: `Vector`, `load`, `store`, `words`
/// (the sixteen words of a block of each lane), `add`, `xor`, `rotated`, `broadcast`, `xor3`,
/// `majority` and `choose`.
macro_rules! lanes {
    ($features:literal) => {
        #[target_feature(enable = $features)]
        fn compress_lanes(states: &mut Lanes, blocks: &[&[Block]; MAX_LANES]) {
            let mut v: [Vector; 8] = core::array::from_fn(|i| load(&states[i]));
            for at in 0..blocks[0].len() {
                let mut w = words(&core::array::from_fn(|lane| &blocks[lane][at]));
                let before = v;
                let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = v;
                for j in (0..16).step_by(4) {
                    four_steps!(a b c d e f g h, xor3, xor3, w, j);
                }
                for j in (16..64).step_by(4) {
                    four_steps!(a b c d e f g h, majority, choose, w, j);
                }
                v = [a, b, c, d, e, f, g, h];
                for (v, before) in v.iter_mut().zip(before) {
                    *v = xor(*v, before);
                }
            }
            for (state, v) in states.iter_mut().zip(v) {
                store(v, state);
            }
        }

        /// W_j and W_j + W_(j+4), where W_(j+4) is made when it is needed for the first time (message
        /// expansion of 5.3.2). It takes the place of W_(j-12).
        #[inline]
        #[target_feature(enable = $features)]
        fn next_words(w: &mut [Vector; 16], j: usize) -> (Vector, Vector) {
            let i = j + 4;
            if i >= 16 {
                let x = xor3(w[i % 16], w[(i - 9) % 16], rotated::<15>(w[(i - 3) % 16]));
                let p1 = xor3(x, rotated::<15>(x), rotated::<23>(x));
                w[i % 16] = xor3(p1, rotated::<7>(w[(i - 13) % 16]), w[(i - 6) % 16]);
            }
            (w[j % 16], xor(w[j % 16], w[i % 16]))
        }
    };
}

/// Four steps of 5.3.3, after which the eight names stand for the same again.
macro_rules! four_steps {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
     $ff:ident, $gg:ident, $w:ident, $j:ident) => {
        step!($a $b $c $d $e $f $g $h, $ff, $gg, $w, $j);
        step!($d $a $b $c $h $e $f $g, $ff, $gg, $w, $j + 1);
        step!($c $d $a $b $g $h $e $f, $ff, $gg, $w, $j + 2);
        step!($b $c $d $a $f $g $h $e, $ff, $gg, $w, $j + 3);
    };
}

macro_rules! step {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
     $ff:ident, $gg:ident, $w:ident, $j:expr) => {
        let (word, sum) = next_words(&mut $w, $j);
        let a12 = rotated::<12>($a);
        let ss1 = rotated::<7>(add(a12, add($e, broadcast(T[$j]))));
        let tt1 = add(add($ff($a, $b, $c), $d), add(xor(ss1, a12), sum));
        let tt2 = add(add($gg($e, $f, $g), $h), add(ss1, word));
        $b = rotated::<9>($b);
        $d = tt1;
        $f = rotated::<19>($f);
        $h = xor3(tt2, rotated::<9>(tt2), rotated::<17>(tt2));
    };
}

pub(super) use {four_steps, lanes, step};
