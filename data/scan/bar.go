package scan

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"
)

// bar is the strip that explains the overlay's colours.
type bar struct {
	rect     image.Rectangle
	vertical bool
	// zero and top are where the scale begins and ends along the long axis, in
	// pixel edges (pixel i spans i to i+1), sub-pixel.
	zero, top float64
	curve     []vec // colours from zero to top, equally spaced
	conf      float64
	reason    string
}

// length is the extent of the scale in pixels.
func (b *bar) length() float64 { return math.Abs(b.top - b.zero) }

// flip exchanges the ends: a bar whose printed numbers grow the other way.
func (b *bar) flip() {
	b.zero, b.top = b.top, b.zero
	slices.Reverse(b.curve)
}

const (
	barChroma    = 70  // max-min of RGB in a colour bar at full opacity
	barMinLength = 40  // px; shorter strips resolve the scale too coarsely
	barMinHue    = 150 // degrees of hue a stiffness map walks through; a Doppler half bar walks 60
)

// findBars lists the strips that could be a stiffness colour bar, best first:
// narrow, evenly coloured across, and walking through hues in one direction
// along.
func (s *sight) findBars() []*bar {
	mask := make([]bool, s.w*s.h)
	for y := range s.h {
		for x := range s.w {
			mask[y*s.w+x] = s.at(x, y).spread() >= barChroma
		}
	}
	var strips []image.Rectangle
	for _, bl := range blobs(mask, s.w, s.h) {
		long, short := max(bl.rect.Dx(), bl.rect.Dy()), min(bl.rect.Dx(), bl.rect.Dy())
		filled := float64(bl.area) / float64(long*short)
		if long < barMinLength || short < 3 || long < 3*short || filled < 0.8 {
			continue
		}
		strips = append(strips, bl.rect)
	}
	slices.SortStableFunc(strips, func(a, b image.Rectangle) int { return cmp.Compare(max(b.Dx(), b.Dy()), max(a.Dx(), a.Dy())) })
	const plenty = 64 // strips; no screen has so many
	var out []*bar
	for _, r := range strips[:min(len(strips), plenty)] {
		if b := s.measureBar(r); b != nil {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b *bar) int {
		return cmp.Or(-cmp.Compare(a.conf, b.conf), -cmp.Compare(a.length(), b.length()))
	})
	return out
}

// measureBar takes the colours along a strip and judges them; nil if the strip
// is no colour bar.
func (s *sight) measureBar(r image.Rectangle) *bar {
	b := &bar{rect: r, vertical: r.Dy() >= r.Dx()}
	lo, hi := r.Min.Y, r.Max.Y
	if !b.vertical {
		lo, hi = r.Min.X, r.Max.X
	}
	var unevenness float64
	var colours []vec
	for i := lo; i < hi; i++ {
		c, spread := s.across(b, i)
		colours = append(colours, c)
		unevenness += spread
	}
	unevenness /= float64(hi - lo)
	if walked, _ := hueWalk(colours); unevenness > 16 || walked < 0.8*barMinHue {
		return nil
	}

	first, last := s.barEdge(b, lo, -1), s.barEdge(b, hi-1, +1)
	if last-first < barMinLength {
		return nil
	}
	first, last = b.sample(s, first, last)
	total, straight := hueWalk(b.curve)
	if total < barMinHue || straight < 0.8 {
		return nil
	}
	b.conf = clamp01((total-barMinHue)/60+0.5) * clamp01((straight-0.8)/0.1+0.5) * clamp01(1-unevenness/32)
	b.reason = fmt.Sprintf("a strip %.1f px long, even across (%.1f levels), walks %.0f degrees of hue with %.0f %% in one direction",
		last-first, unevenness, total, 100*straight)

	// By convention the limit is at the top or the right; printed numbers may
	// correct this later.
	b.zero, b.top = first, last
	if b.vertical {
		b.flip()
	}
	return b
}

// inner is the strip without the outer quarters of its width, which its outline
// and a JPEG may have touched.
func (b *bar) inner() image.Rectangle {
	r := b.rect
	if b.vertical {
		r.Min.X, r.Max.X = r.Min.X+r.Dx()/4, r.Max.X-r.Dx()/4
	} else {
		r.Min.Y, r.Max.Y = r.Min.Y+r.Dy()/4, r.Max.Y-r.Dy()/4
	}
	return r
}

// across is the mean colour of the inner half of the strip at position i of the
// long axis, and its standard deviation in levels.
func (s *sight) across(b *bar, i int) (mean vec, spread float64) {
	inner := b.inner()
	lo, hi := inner.Min.X, inner.Max.X
	if !b.vertical {
		lo, hi = inner.Min.Y, inner.Max.Y
	}
	at := func(j int) vec {
		if b.vertical {
			return s.at(j, i)
		}
		return s.at(i, j)
	}
	n := float64(hi - lo)
	for j := lo; j < hi; j++ {
		mean = mean.add(at(j).scale(1 / n))
	}
	for j := lo; j < hi; j++ {
		d := at(j).sub(mean)
		spread += d.dot(d) / n
	}
	return mean, math.Sqrt(spread)
}

// barEdge finds where the strip really ends near position i, in pixel edges:
// the end pixels are often shared with the background, so their coverage is
// measured between the background and the colour that the run of the strip
// leads one to expect there.
func (s *sight) barEdge(b *bar, i, outward int) float64 {
	limit := s.h
	if !b.vertical {
		limit = s.w
	}
	const run = 4
	inside := i - 3*outward
	ref, _ := s.across(b, inside)
	before, _ := s.across(b, inside-run*outward)
	slope := ref.sub(before).scale(1.0 / run)
	dark := vec{s.back, s.back, s.back}
	covered := 0.0
	for k := 1; k <= 6; k++ {
		j := inside + k*outward
		if j < 0 || j >= limit {
			break
		}
		c, _ := s.across(b, j)
		full := ref.add(slope.scale(float64(k))).sub(dark)
		// Not held to 0 and 1: a JPEG's noise must average out.
		covered += min(max(c.sub(dark).dot(full)/max(full.dot(full), 1), -0.5), 1.5)
	}
	if outward > 0 {
		return float64(inside) + 1 + covered
	}
	return float64(inside) - covered
}

// sample lays the curve through the strip from first to last. The outermost pixel
// and a half at each end is mixed with the background: there the nearest run is
// extended. It returns the ends, which a JPEG's coefficients tell better.
func (b *bar) sample(s *sight, first, last float64) (begin, end float64) {
	const points = 129
	const mixed = 1.5
	from, to := int(math.Ceil(first+mixed-0.5)), int(math.Floor(last-mixed+0.5))
	var e *evidence
	if s.steps() {
		e = s.codedEvidence(b, from, to)
	} else {
		var pos []float64 // pixel centres free of background
		var colours []vec
		for i := from; i < to; i++ {
			c, _ := s.across(b, i)
			pos, colours = append(pos, float64(i)+0.5), append(colours, c)
		}
		e = seen(pos, colours)
	}
	line := fitBrokenLine(e)
	if s.steps() {
		line = e.held(line)
		first, last = s.codedEnds(b, line, first, last)
	}
	b.curve = make([]vec, points)
	for k := range b.curve {
		c := line.at(first + (last-first)*float64(k)/float64(points-1))
		if s.steps() {
			c = fromYCbCr(c)
		}
		for i := range c {
			c[i] = min(max(c[i], 0), 255)
		}
		b.curve[k] = c
	}
	return first, last
}

// hueWalk is the net change of hue along a curve in degrees, and the share of
// the way walked that was net.
func hueWalk(curve []vec) (net, straight float64) {
	stride := max(1, len(curve)/16) // wide enough to outweigh the noise of a JPEG
	prev, have := 0.0, false
	var walked float64
	for k := 0; k < len(curve); k += stride {
		h, ok := hue(curve[k])
		if !ok {
			continue
		}
		if have {
			d := math.Remainder(h-prev, 360)
			net += d
			walked += math.Abs(d)
		}
		prev, have = h, true
	}
	if walked == 0 {
		return 0, 0
	}
	return math.Abs(net), math.Abs(net) / walked
}

// hue is the angle of a colour on the colour circle; false for near greys.
func hue(c vec) (deg float64, ok bool) {
	if c.spread() < 40 {
		return 0, false
	}
	y := math.Sqrt(3) * (c[1] - c[2])
	x := 2*c[0] - c[1] - c[2]
	return math.Atan2(y, x) * 180 / math.Pi, true
}

// findGreyBar looks beside a vertical or horizontal colour bar for a strip of
// about its length that runs from dark to bright grey. It is a sign that the
// bar is a bar; nothing else depends on it.
func (s *sight) findGreyBar(b *bar) Finding {
	f := Finding{Name: "grey bar", Reason: "no grey ramp beside the colour bar"}
	thick := min(b.rect.Dx(), b.rect.Dy())
	swap := func(r image.Rectangle) image.Rectangle {
		if b.vertical {
			return r
		}
		return image.Rect(r.Min.Y, r.Min.X, r.Max.Y, r.Max.X)
	}
	long := swap(b.rect) // as if vertical
	reach := 6 * thick
	first, last := -1, -1
	best := 0.0
	for x := long.Min.X - reach; x < long.Max.X+reach; x++ {
		if x >= long.Min.X-2 && x < long.Max.X+2 {
			continue
		}
		r := greyRamp(s, swap(image.Rect(x, long.Min.Y, x+1, long.Max.Y)))
		if r < 0.97 {
			if first >= 0 && last-first >= 1 {
				break
			}
			first = -1
			continue
		}
		if first < 0 {
			first = x
		}
		last = x
		best = max(best, r)
	}
	if first < 0 || last-first < 1 {
		return f
	}
	f.Where = swap(image.Rect(first, long.Min.Y, last+1, long.Max.Y))
	f.Confidence = clamp01((best - 0.9) / 0.1)
	f.Reason = fmt.Sprintf("grey ramp along the colour bar, correlation %.3f", best)
	return f
}

// greyRamp is the correlation of brightness with position along a line of
// pixels, 0 when the line is coloured, leaves the picture or hardly changes.
func greyRamp(s *sight, line image.Rectangle) float64 {
	if !line.In(s.bounds()) {
		return 0
	}
	var n, sx, sy, sxx, syy, sxy float64
	for y := line.Min.Y; y < line.Max.Y; y++ {
		for x := line.Min.X; x < line.Max.X; x++ {
			if s.chroma[y*s.w+x] > 40 {
				return 0
			}
			v := float64(s.luma[y*s.w+x])
			n, sx, sy, sxx, syy, sxy = n+1, sx+n, sy+v, sxx+n*n, syy+v*v, sxy+n*v
		}
	}
	vx, vy := sxx/n-sx/n*sx/n, syy/n-sy/n*sy/n
	if vx <= 0 || vy < 40*40 {
		return 0
	}
	return math.Abs(sxy/n-sx/n*sy/n) / math.Sqrt(vx*vy)
}
