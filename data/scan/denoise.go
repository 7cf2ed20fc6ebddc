package scan

import "math"

// reading is what one site of the SWE box says.
type reading struct {
	share          float64 // of the bar, 0..1
	coloured, bare float64 // distances in levels that remain if the site is coloured, if it is not
	shown          bool    // it carries a stiffness
}

// read inverts every site by itself.
func (b *blend) read(sites []site, tolerance float64) []reading {
	out := make([]reading, len(sites))
	for i, s := range sites {
		r := &out[i]
		r.share, r.coloured, r.bare = b.colour(s)
		r.shown = r.bare > r.coloured && r.coloured <= 4*tolerance
	}
	return out
}

// denoise replaces the shown readings by the value of a quadratic surface fitted
// to their neighbourhood. sites are rows of width. A JPEG adds noise to every
// pixel that an elastogram, smooth over a millimetre, does not have: its colour
// is one sample for four pixels, and at a low opacity each level of it stands
// for several kPa. A surface, unlike a mean, leaves slopes and tops as they are;
// where it does not fit, as at an edge, the reading stays. So do readings at the
// rim of the map, whose colours have run into the grey. A picture without loss is
// left as it is.
func (b *blend) denoise(readings []reading, width int, n noise) {
	if !n.lossy() || width == 0 {
		return
	}
	// In standard deviations of one reading: how far a neighbour may lie before it
	// counts half, and how far the neighbours may scatter about their surface.
	const alike, fits = 20, 4
	first := make([]float64, len(readings))
	for i, r := range readings {
		first[i] = r.share
	}
	height := len(readings) / width
	inside := coveredAround(readings, width)
	for i := range readings {
		if !inside[i] {
			continue
		}
		x, y := i%width, i/width
		noise := n.acrossGrey / b.slope(first[i])
		var f surface
		// Every second row and column: colour comes in samples of two by two.
		for ny := y - surfaceReach; ny <= min(height-1, y+surfaceReach); ny += 2 {
			for nx := x - surfaceReach; nx <= min(width-1, x+surfaceReach); nx += 2 {
				if j := ny*width + nx; ny >= 0 && nx >= 0 && inside[j] {
					d := (first[j] - first[i]) / (alike * noise)
					f.add(nx-x, ny-y, first[j], 1/(1+d*d))
				}
			}
		}
		if share, scatter, ok := f.top(); ok && scatter <= fits*noise {
			readings[i].share = clamp01(share)
		}
	}
}

// surfaceReach is the half width of a neighbourhood in px: half a millimetre on
// usual screens, below the resolution of an elastogram.
const surfaceReach = 5

// surface is a quadratic in x and y, as weighted sums of its least squares.
type surface struct {
	a     [6][6]float64 // normal matrix, upper half
	b     [6]float64
	ss, w float64
}

func (f *surface) add(x, y int, v, weight float64) {
	u, w := float64(x)/surfaceReach, float64(y)/surfaceReach
	basis := [6]float64{1, u, w, u * u, u * w, w * w}
	for i, p := range basis {
		p *= weight
		for j := i; j < 6; j++ {
			f.a[i][j] += p * basis[j]
		}
		f.b[i] += p * v
	}
	f.ss += weight * v * v
	f.w += weight
}

// top is the surface's value at the origin and the scatter of the values about
// it; false when they do not fix a surface. Values that lie mostly to one side, as
// at the rim of a map, make a plane: a quadratic would run away beyond them.
func (f *surface) top() (value, scatter float64, ok bool) {
	const lopsided = 0.2 // of the reach
	terms := 6
	if math.Hypot(f.a[0][1], f.a[0][2]) > lopsided*f.a[0][0] {
		terms = 3
	}
	m, c := newSymmetric(terms), make([]float64, terms)
	for i := range terms {
		for j := range i + 1 {
			m.lower[i*terms+j] = f.a[j][i]
		}
		c[i] = f.b[i]
	}
	if !m.decompose() || m.lower[terms*terms-1] < 1e-3*math.Sqrt(f.w) {
		return 0, 0, false
	}
	m.whiten(c)
	left := f.ss
	for _, v := range c {
		left -= v * v
	}
	m.unwhiten(c)
	return c[0], math.Sqrt(max(left, 0) / f.w), true
}

// slope is how many levels a whole bar is worth at a share of it.
func (b *blend) slope(share float64) float64 {
	const around = 6 // segments each way
	i := min(max(int(share*float64(len(b.path))), around), len(b.path)-1-around)
	run := b.path[i+around].from.sub(b.path[i-around].from).norm()
	return max(run*float64(len(b.path))/(2*around), 1)
}
