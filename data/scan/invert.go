package scan

import (
	"fmt"
	"image"
	"math"
)

// site is one pixel of the SWE box seen twice.
type site struct {
	x, y    int // overlay view, file pixels
	overlay vec
	plain   vec // the same place in the plain view: the grey under the overlay
}

// blend is the model of an overlay: overlay = (1-a) plain + a colour(t).
//
// The grey under a pixel is known only as well as the twin views match (they
// differ by JPEG noise and by a fraction of a pixel), so an error along the grey
// axis says little about the colour. Distances are therefore taken in a space
// whose grey axis is shrunk by how much more uncertain it is.
type blend struct {
	opacity float64
	grey    vec
	shrink  float64 // factor on the grey axis, 0..1
	curve   []vec
	path    []segment // the colour curve, blended and shrunk
}

// segment is a straight piece of the colour curve.
type segment struct {
	from, step  vec
	length      float64
	perSquareOf float64 // 1 / length^2, 0 for a segment without length
}

func newBlend(opacity float64, curve []vec, grey vec, n noise) blend {
	b := blend{opacity: opacity, grey: grey, curve: curve, path: make([]segment, len(curve)-1)}
	// both views carry half of the variance between them; the plain one's share
	// reaches the colour through the blend
	along := n.alongGrey * math.Sqrt((1+(1-opacity)*(1-opacity))/2)
	b.shrink = n.acrossGrey / math.Hypot(n.acrossGrey, along)
	for i := range b.path {
		from := b.bend(curve[i].scale(opacity))
		s := segment{from: from, step: b.bend(curve[i+1].scale(opacity)).sub(from)}
		if s.length = s.step.norm(); s.length > 0 {
			s.perSquareOf = 1 / (s.length * s.length)
		}
		b.path[i] = s
	}
	return b
}

// curveAt is the bar's colour at a share of it.
func (b *blend) curveAt(share float64) vec {
	p := min(max(share, 0), 1) * float64(len(b.curve)-1)
	i := min(int(p), len(b.curve)-2)
	return mix(b.curve[i], b.curve[i+1], p-float64(i))
}

// bend maps a colour difference to the space in which distances are taken.
func (b *blend) bend(c vec) vec {
	return c.sub(b.grey.scale((1 - b.shrink) * c.dot(b.grey)))
}

// colour finds where on the bar a pixel's colour lies: t in 0..1, and the
// distances in levels that remain if the pixel is coloured and if it is not.
func (b *blend) colour(s site) (t, coloured, bare float64) {
	bare = b.bend(s.overlay.sub(s.plain)).norm()
	p := b.bend(s.overlay.sub(s.plain.scale(1 - b.opacity)))
	coloured = math.Inf(1)
	for i := range b.path {
		seg := &b.path[i]
		d := p.sub(seg.from)
		square := d.dot(d)
		if reach := coloured + seg.length; square > reach*reach {
			continue // not even its far end is nearer than the best so far
		}
		f := 0.0
		if along := d.dot(seg.step); along > 0 {
			f = min(1, along*seg.perSquareOf)
			square += f * (f/max(seg.perSquareOf, 1e-12) - 2*along)
		}
		if square < coloured*coloured {
			coloured = math.Sqrt(max(0, square))
			t = (float64(i) + f) / float64(len(b.path))
		}
	}
	return t, coloured, bare
}

// noise is how well the twin views agree where both show bare B-mode, as
// standard deviations in levels.
type noise struct {
	alongGrey  float64 // brightness: JPEG and misregistration
	acrossGrey float64 // colour: JPEG
}

// lossy tells a picture whose colours were coded with loss.
func (n noise) lossy() bool {
	const quiet = 1.01 // levels: measureNoise's floor for a picture without loss
	return n.acrossGrey > quiet || n.alongGrey > quiet
}

// measureNoise compares the two views around the box. view and box lie in the
// overlay view.
func (s *sight) measureNoise(view, box image.Rectangle, dx, dy float64) noise {
	var along, across []float64
	hole := box.Inset(-6)
	step := max(1, view.Dx()*view.Dy()/40_000)
	for i := 0; i < view.Dx()*view.Dy(); i += step {
		x, y := view.Min.X+i%view.Dx(), view.Min.Y+i/view.Dx()
		if image.Pt(x, y).In(hole) {
			continue
		}
		d := s.at(x, y).sub(s.between(float64(x)+dx, float64(y)+dy))
		g := d.dot(s.grey)
		along = append(along, math.Abs(g))
		across = append(across, d.sub(s.grey.scale(g)).norm())
	}
	// median absolute deviation to standard deviation; half a level of
	// rounding is always there, and colours in a JPEG suffer more than greys
	n := noise{alongGrey: 1.48 * median(along), acrossGrey: 1.5 * median(across)}
	if math.IsNaN(n.alongGrey) {
		n = noise{alongGrey: 8, acrossGrey: 2}
	}
	return noise{alongGrey: max(n.alongGrey, 0.5), acrossGrey: max(n.acrossGrey, 1)}
}

// sites lists the pixels of the box whose colour is the overlay's alone.
func (s *sight) sites(clean image.Rectangle, dx, dy float64) []site {
	out := make([]site, 0, clean.Dx()*clean.Dy())
	for y := clean.Min.Y; y < clean.Max.Y; y++ {
		for x := clean.Min.X; x < clean.Max.X; x++ {
			out = append(out, site{x, y, s.at(x, y), s.between(float64(x)+dx, float64(y)+dy)})
		}
	}
	return out
}

// fitOpacity finds the opacity at which the un-blended colours lie best on the
// bar's curve, over the clearly coloured pixels. The remaining median distance
// in levels says how well.
func fitOpacity(sites []site, curve []vec, grey vec, n noise) (opacity, residual float64) {
	var coloured []site
	for _, s := range sites {
		if s.overlay.chroma(grey) >= overlayChroma {
			coloured = append(coloured, s)
		}
	}
	if len(coloured) == 0 {
		return 0, math.Inf(1)
	}
	const enough = 600
	few := make([]site, 0, enough)
	for i := range min(enough, len(coloured)) {
		few = append(few, coloured[i*len(coloured)/min(enough, len(coloured))])
	}
	var sparse []vec
	for i := 0; i < len(curve); i += 2 {
		sparse = append(sparse, curve[i])
	}
	loss := func(a float64, every int) float64 {
		b := newBlend(a, sparse, grey, n)
		sum := 0.0
		for i := 0; i < len(few); i += every {
			_, d, _ := b.colour(few[i])
			sum += min(d*d, 900) // a pixel drawn over must not steer the fit
		}
		return sum
	}
	best, bestLoss := 1.0, math.Inf(1)
	for a := 0.1; a <= 1.0001; a += 0.05 {
		if l := loss(min(a, 1), 3); l < bestLoss {
			best, bestLoss = min(a, 1), l
		}
	}
	lo, hi := max(0.05, best-0.05), min(1, best+0.05)
	const golden = 0.6180339887
	for range 10 {
		a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
		if loss(a, 1) < loss(b, 1) {
			hi = b
		} else {
			lo = a
		}
	}
	opacity = (lo + hi) / 2
	b := newBlend(opacity, curve, grey, n)
	var left []float64
	for _, s := range few {
		_, d, _ := b.colour(s)
		left = append(left, d)
	}
	return opacity, median(left)
}

// Readings at the top of the bar stand for "this or more" (paper facts section
// 3): from 98 % on, or from a little below when the noise of the picture cannot
// tell the difference.
const (
	saturatedFrom  = 0.98
	saturatedLeast = 0.95
)

// saturation is the share of the bar from which a reading is saturated.
func (b *blend) saturation(n noise) float64 {
	tail := b.path[len(b.path)*95/100:]
	perShare := tail[len(tail)-1].from.sub(tail[0].from).norm() * float64(len(b.path)) / float64(len(tail)-1)
	return max(saturatedLeast, min(saturatedFrom, 1-2.5*n.acrossGrey/max(perShare, 1e-9)))
}

// stiffness is the inverted overlay on the grid of the crop.
type stiffness struct {
	w, h       int
	kPa        []float32
	saturated  []bool
	confidence []float32
	share      float64 // of the box that carries a reading
}

// invert turns sites, rows of width, into stiffness on a grid of w x h whose
// corner lies at origin in the overlay view. kPa maps a share of the bar to a
// stiffness.
func (s *sight) invert(sites []site, width int, b *blend, n noise, origin image.Point, w, h int, kPa func(t float64) float64) stiffness {
	out := stiffness{
		w: w, h: h,
		kPa:        make([]float32, w*h),
		saturated:  make([]bool, w*h),
		confidence: make([]float32, w*h),
	}
	for i := range out.kPa {
		out.kPa[i] = float32(math.NaN())
	}
	tolerance := max(6, 4*n.acrossGrey)
	full := b.saturation(n)
	readings := b.read(sites, tolerance)
	b.denoise(readings, width, n)
	s.cover(b, sites, readings, width, n)
	shown := 0
	for k, st := range sites {
		p := image.Pt(st.x, st.y).Sub(origin)
		if p.X < 0 || p.Y < 0 || p.X >= w || p.Y >= h {
			continue
		}
		r := readings[k]
		if !r.shown {
			continue // nothing shown here, or something else drawn over it
		}
		i := p.Y*w + p.X
		out.kPa[i] = float32(kPa(r.share))
		out.saturated[i] = r.share >= full
		fit := math.Exp(-0.5 * r.coloured * r.coloured / tolerance / tolerance)
		clear := max(0.1, clamp01(2*(r.bare-r.coloured)/(r.bare+r.coloured)))
		out.confidence[i] = float32(fit * clear)
		shown++
	}
	if len(sites) > 0 {
		out.share = float64(shown) / float64(len(sites))
	}
	return out
}

// spread fills the pixels between the clean part of the box and its outline
// from the nearest clean pixel, at half its confidence: there the outline's
// colour has leaked (JPEG, rescaling) and would read as a stiffness. It is a
// step of a pixel or two, far below the resolution of an elastogram. Both
// rectangles are in the crop.
func (st *stiffness) spread(inside, clean image.Rectangle) {
	inside = inside.Intersect(image.Rect(0, 0, st.w, st.h))
	clean = clean.Intersect(inside)
	if clean.Empty() {
		return
	}
	for y := inside.Min.Y; y < inside.Max.Y; y++ {
		for x := inside.Min.X; x < inside.Max.X; x++ {
			if image.Pt(x, y).In(clean) {
				continue
			}
			from := min(max(y, clean.Min.Y), clean.Max.Y-1)*st.w + min(max(x, clean.Min.X), clean.Max.X-1)
			i := y*st.w + x
			st.kPa[i], st.saturated[i], st.confidence[i] = st.kPa[from], st.saturated[from], st.confidence[from]/2
		}
	}
}

// texture is the correlation of two maps where the first has values. A map that
// still holds the B-mode's texture was not un-blended.
func texture(kPa []float32, grey []uint8) float64 {
	var n, sa, sb, saa, sbb, sab float64
	for i, v := range kPa {
		if v != v {
			continue
		}
		a, b := float64(v), float64(grey[i])
		n, sa, sb, saa, sbb, sab = n+1, sa+a, sb+b, saa+a*a, sbb+b*b, sab+a*b
	}
	va, vb := saa/n-sa/n*sa/n, sbb/n-sb/n*sb/n
	if n < 2 || va <= 0 || vb <= 0 {
		return 0
	}
	return (sab/n - sa/n*sb/n) / math.Sqrt(va*vb)
}

// opacityFinding words the fit.
func opacityFinding(opacity, residual float64, n noise) Finding {
	return Finding{
		Name:       "opacity",
		Value:      fmt.Sprintf("%.0f %%", 100*opacity),
		Confidence: clamp01(1 - residual/24),
		Reason: fmt.Sprintf("un-blended colours lie %.1f levels (median) off the bar's, twin views agree within %.1f",
			residual, n.alongGrey),
	}
}
