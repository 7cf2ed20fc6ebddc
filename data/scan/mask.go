package scan

import (
	"math"

	"elastography/data/jpegdct"
)

// cover decides for a JPEG which sites carry the overlay. Its colour samples
// stand for several pixels and run into each other, so at a rim a pixel's own
// colour tells little; but its brightness is its own, and the sample it shares
// tells how many of its pixels are covered. Both are held against what they would
// be: the plain view's grey, and over it the stiffness of the nearest site that
// is covered all around. sites and readings are rows of width.
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
	samples       [][2]float64 // what is left of each blue and red difference
	perBright     float64      // 1 / variance of brightness
	perColour     float64      // the same of a colour sample
}

// guess is one site's part.
type guess struct {
	share   float64    // of the bar, if the site is covered
	bright  [2]float64 // what is left of its brightness if it is bare, if it is covered
	tint    [2]float64 // what covering it adds to its colour sample
	sample  int        // its place among samples; -1 where that says nothing of the sites
	covered bool
	fixed   bool // nothing to decide: something else is drawn there, or nothing for far
}

const (
	rim    = 2  // px that interpolated colour reaches over an edge
	misfit = 25 // variances: beyond it a difference is no noise, and proves nothing more
)

func newCoverage(s *sight, b *blend, sites []site, readings []reading, width int, n noise) *coverage {
	blue, red := s.planes[1], s.planes[2]
	pixels := blue.FX * blue.FY // of a sample
	c := &coverage{width: width, height: len(sites) / width, guesses: make([]guess, len(sites)),
		perBright: 1 / (n.alongGrey * n.alongGrey * (1 + (1-b.opacity)*(1-b.opacity)) / 2), perColour: 1 / (codedNoise(&blue.Steps) + 1)}
	shares := nearestInside(readings, width)
	places, told := map[int]int{}, []int{} // of samples; how many of their pixels are known sites
	for i, st := range sites {
		g := &c.guesses[i]
		at := st.y/blue.FY*blue.Width + st.x/blue.FX
		k, ok := places[at]
		if !ok {
			k = len(c.samples)
			places[at] = k
			c.samples = append(c.samples, [2]float64{float64(blue.Levels[at]) - 128, float64(red.Levels[at]) - 128})
			told = append(told, 0)
		}
		g.sample = k
		known := !math.IsNaN(shares[i])
		if known {
			g.share = shares[i]
		}
		plain, over := toYCbCr(st.plain), toYCbCr(b.curveAt(g.share))
		seen := brightness(st.overlay)
		g.bright = [2]float64{seen - plain[0], seen - mix(plain, over, b.opacity)[0]}
		// The outline's colour has run over the outermost sites: they begin as the
		// ones beside them.
		within := min(max(i/width, rim), c.height-1-rim)*width + min(max(i%width, rim), width-1-rim)
		g.covered = readings[within].shown
		least := min(math.Abs(g.bright[0]), math.Abs(g.bright[1]))
		strange := !readings[i].shown && readings[i].bare > readings[i].coloured && least*least*c.perBright > misfit
		g.fixed = strange || !known
		if !strange && within == i {
			told[k]++
		}
		for d := range g.tint {
			g.tint[d] = b.opacity * (over[1+d] - plain[1+d]) / float64(pixels)
			c.samples[k][d] -= (plain[1+d] - 128) / float64(pixels)
			if g.covered {
				c.samples[k][d] -= g.tint[d]
			}
		}
	}
	for i := range c.guesses {
		if g := &c.guesses[i]; told[g.sample] < pixels {
			g.sample = -1
		}
	}
	return c
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
			c.samples[g.sample] = g.other(c.samples[g.sample])
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
	gain := min(now*now*c.perBright, misfit) - min(then*then*c.perBright, misfit)
	if g.sample >= 0 {
		left := c.samples[g.sample]
		other := g.other(left)
		gain += (left[0]*left[0] + left[1]*left[1] - other[0]*other[0] - other[1]*other[1]) * c.perColour
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

// nearestInside is for every site the share of the nearest one that is covered
// all around, its own where it is that or where there is none for long; NaN where
// neither is known.
func nearestInside(readings []reading, width int) []float64 {
	height := len(readings) / width
	out := make([]float64, len(readings))
	inside := coveredAround(readings, width)
	const far = 3 * rim
	for i, r := range readings {
		out[i] = math.NaN()
		if r.shown {
			out[i] = r.share
		}
		if inside[i] {
			continue
		}
		x, y, best := i%width, i/width, far*far+1
		for ny := max(0, y-far); ny <= min(height-1, y+far); ny++ {
			for nx := max(0, x-far); nx <= min(width-1, x+far); nx++ {
				if d := (nx-x)*(nx-x) + (ny-y)*(ny-y); d < best && inside[ny*width+nx] {
					best = d
					out[i] = readings[ny*width+nx].share
				}
			}
		}
	}
	return out
}
