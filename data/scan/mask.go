package scan

import (
	"math"

	"elastography/data/jpegdct"
)

// cover decides for a JPEG which sites carry the overlay. Its colour samples
// stand for several pixels and run into each other, so at a rim a pixel's own
// colour tells little; but its brightness is its own, and the sample it shares
// tells how many of its pixels are covered. Both are held against what they would
// be: the plain view's grey, and over it the stiffness that the sites covered all
// around lead one to expect. sites and readings are rows of width.
func (s *sight) cover(b *blend, sites []site, readings []reading, width int, n noise) {
	if !s.steps() || width <= 2*rim || len(sites) <= 2*rim*width {
		return
	}
	c := newCoverage(s, b, sites, readings, width, n)
	for range 6 {
		if !c.sweep() {
			break
		}
	}
	for i, g := range c.guesses {
		if !g.fixed {
			readings[i].shown = g.covered
			if g.covered {
				readings[i].share = g.share
			}
		}
	}
}

// coverage is a guess which sites are covered, and what it leaves of the picture.
type coverage struct {
	width, height int
	guesses       []guess
	samples       []colourSample
}

// colourSample is a colour of the JPEG, for several sites.
type colourSample struct {
	left     [2]float64 // of its blue and red difference
	variance float64
	told     int // how many of its pixels are sites whose colour is the overlay's or the plain view's
}

// guess is one site's part.
type guess struct {
	share   float64    // of the bar, if the site is covered
	bright  [2]float64 // cost of its brightness if it is bare, if it is covered
	tint    [2]float64 // what covering it adds to its colour sample
	sample  int        // its place among samples; -1 where that says nothing of the sites
	covered bool
	fixed   bool // nothing to decide: something else is drawn there, or nothing for far
}

const (
	rim         = 2    // px that interpolated colour reaches over an edge
	misfit      = 25   // variances: beyond it a difference is no noise, and proves nothing more
	unsureShare = 0.01 // of the bar: how well the share of a site at the rim is known
)

func newCoverage(s *sight, b *blend, sites []site, readings []reading, width int, n noise) *coverage {
	blue, red := s.planes[1], s.planes[2]
	pixels := blue.FX * blue.FY // of a sample
	c := &coverage{width: width, height: len(sites) / width, guesses: make([]guess, len(sites))}
	// Variance of brightness: as it differs between the views, but at a strong edge
	// as much as the coding allows.
	light := max(n.alongGrey*n.alongGrey*(1+(1-b.opacity)*(1-b.opacity))/2, codedNoise(&s.planes[0].Steps))
	shares := sharesToRim(readings, width)
	places, coded := map[int]int{}, codedNoise(&blue.Steps)+1
	for i, st := range sites {
		g := &c.guesses[i]
		at := st.y/blue.FY*blue.Width + st.x/blue.FX
		k, ok := places[at]
		if !ok {
			k = len(c.samples)
			places[at] = k
			c.samples = append(c.samples, colourSample{left: [2]float64{float64(blue.Levels[at]) - 128, float64(red.Levels[at]) - 128}, variance: coded})
		}
		g.sample = k
		sample := &c.samples[k]
		known := !math.IsNaN(shares[i])
		if known {
			g.share = shares[i]
		}
		plain, over := toYCbCr(st.plain), toYCbCr(b.curveAt(g.share))
		bare, covered := brightness(st.overlay)-plain[0], brightness(st.overlay)-mix(plain, over, b.opacity)[0]
		unsure := b.slopeYCbCr(g.share).scale(b.opacity * unsureShare)
		g.bright = [2]float64{min(bare*bare/light, misfit), min(covered*covered/(light+unsure[0]*unsure[0]), misfit) + math.Log1p(unsure[0]*unsure[0]/light)}
		sample.variance += (unsure[1]*unsure[1] + unsure[2]*unsure[2]) / 2 / float64(pixels)
		// The outline's colour has run over the outermost sites: they begin as the
		// ones beside them.
		within := min(max(i/width, rim), c.height-1-rim)*width + min(max(i%width, rim), width-1-rim)
		g.covered = readings[within].shown
		strange := !readings[i].shown && readings[i].bare > readings[i].coloured && min(g.bright[0], g.bright[1]) >= misfit
		g.fixed = strange || !known
		if !strange && within == i {
			sample.told++
		}
		for d := range g.tint {
			g.tint[d] = b.opacity * (over[1+d] - plain[1+d]) / float64(pixels)
			sample.left[d] -= (plain[1+d] - 128) / float64(pixels)
			if g.covered {
				sample.left[d] -= g.tint[d]
			}
		}
	}
	for i := range c.guesses {
		if g := &c.guesses[i]; c.samples[g.sample].told < pixels {
			g.sample = -1
		}
	}
	return c
}

// slopeYCbCr is how the bar's brightness and differences change per whole bar,
// around a share of it.
func (b *blend) slopeYCbCr(share float64) vec {
	const around = 0.02
	lo, hi := max(0, share-around), min(1, share+around)
	return toYCbCr(b.curveAt(hi)).sub(toYCbCr(b.curveAt(lo))).scale(1 / (hi - lo))
}

// codedNoise is the variance of a plane's samples, were all coefficients as far
// off as their rounding lets them be on average: at an edge they are.
func codedNoise(steps *jpegdct.Steps) float64 {
	sum := 0.0
	for _, q := range steps {
		sum += q * q / 12
	}
	return sum / float64(len(steps))
}

// sweep changes each site for which the other choice leaves less, and tells
// whether there was any.
func (c *coverage) sweep() (changed bool) {
	for i := range c.guesses {
		g := &c.guesses[i]
		if g.fixed || c.gain(i) <= 0 {
			continue
		}
		if g.sample >= 0 {
			c.samples[g.sample].left = g.other(c.samples[g.sample].left)
		}
		g.covered, changed = !g.covered, true
	}
	return changed
}

// other is what would be left of a guess's colour sample if it were changed.
func (g *guess) other(left [2]float64) [2]float64 {
	sign := 1.0
	if g.covered {
		sign = -1
	}
	return [2]float64{left[0] - sign*g.tint[0], left[1] - sign*g.tint[1]}
}

// gain is how much less the other choice leaves of a site, in variances.
func (c *coverage) gain(i int) float64 {
	const alone = 2 // cost of each of four neighbours that differs
	g := &c.guesses[i]
	now, then := g.bright[0], g.bright[1]
	if g.covered {
		now, then = then, now
	}
	gain := now - then
	if g.sample >= 0 {
		sample := &c.samples[g.sample]
		left, other := sample.left, g.other(sample.left)
		gain += (left[0]*left[0] + left[1]*left[1] - other[0]*other[0] - other[1]*other[1]) / sample.variance
	}
	x, y := i%c.width, i/c.width
	for _, step := range [4][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		nx, ny := x+step[0], y+step[1]
		if nx < 0 || ny < 0 || nx >= c.width || ny >= c.height {
			continue
		}
		switch other := &c.guesses[ny*c.width+nx]; {
		case other.fixed:
		case other.covered == g.covered:
			gain -= alone
		default:
			gain += alone
		}
	}
	return gain
}

// coveredAround marks the sites whose surroundings are covered as far as colours
// run into each other, those of the box's outline too.
func coveredAround(readings []reading, width int) []bool {
	height := len(readings) / width
	shown := make([]float64, len(readings))
	for i, r := range readings {
		if r.shown {
			shown[i] = 1
		}
	}
	sums := newSumTable(shown, width, height)
	out := make([]bool, len(readings))
	for y := rim; y < height-rim; y++ {
		for x := rim; x < width-rim; x++ {
			out[y*width+x] = sums.mean(x, y, rim) > 1-1e-9
		}
	}
	return out
}

// sharesToRim is the share of every site if it is covered: its own where it is
// covered all around, else what the nearest such sites lead one to expect there,
// and its own again where there are none for long; NaN where neither is known.
func sharesToRim(readings []reading, width int) []float64 {
	height := len(readings) / width
	out := make([]float64, len(readings))
	inside := coveredAround(readings, width)
	const (
		far   = 3 * rim
		apart = 0.05 // from the nearest: a plane through a few noisy readings is not trusted further
	)
	for i, r := range readings {
		out[i] = math.NaN()
		if r.shown {
			out[i] = r.share
		}
		if inside[i] {
			continue
		}
		x, y, best := i%width, i/width, far*far+1
		var f surface
		for ny := max(0, y-far); ny <= min(height-1, y+far); ny++ {
			for nx := max(0, x-far); nx <= min(width-1, x+far); nx++ {
				j := ny*width + nx
				if !inside[j] {
					continue
				}
				f.add(nx-x, ny-y, readings[j].share, 1)
				if d := (nx-x)*(nx-x) + (ny-y)*(ny-y); d < best {
					best = d
					out[i] = readings[j].share
				}
			}
		}
		if best > far*far {
			continue
		}
		if share, _, ok := f.top(); ok {
			out[i] = clamp01(min(max(share, out[i]-apart), out[i]+apart))
		}
	}
	return out
}
