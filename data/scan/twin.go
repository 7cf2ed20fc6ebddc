package scan

import (
	"cmp"
	"image"
	"math"
	"slices"
)

// twin is the place where the surroundings of the SWE box appear a second time.
type twin struct {
	dx, dy float64 // shift from the overlay view, px, sub-pixel
	corr   float64 // correlation of the fine structure at that shift
	rival  float64 // the correlation at the next best place
}

// layer is the picture's brightness at a coarser scale.
type layer struct {
	pix  []float32
	w, h int
	f    int // file pixels per layer pixel
}

func (s *sight) layer(f int) layer {
	l := layer{w: s.w / f, h: s.h / f, f: f}
	l.pix = make([]float32, l.w*l.h)
	for y := range l.h {
		for x := range l.w {
			sum := 0
			for yy := y * f; yy < (y+1)*f; yy++ {
				for xx := x * f; xx < (x+1)*f; xx++ {
					sum += int(s.luma[yy*s.w+xx])
				}
			}
			l.pix[y*l.w+x] = float32(sum) / float32(f*f)
		}
	}
	return l
}

// findTwin searches the whole picture for a second copy of what surrounds the
// box: coarsely everywhere, then finer around the best places. The box itself
// is left out, since there the two views differ.
func (s *sight) findTwin(view, box image.Rectangle) twin {
	margin := max(24, min(box.Dx(), box.Dy())/2)
	ring := box.Inset(-margin).Intersect(view)
	hole := box.Inset(-4)

	// coarse enough that trying every place stays cheap, whatever the sizes
	const work = 4e7
	f := 1
	for max(ring.Dx(), ring.Dy())/f > 64 ||
		float64(s.w*s.h)/float64(f*f)*float64(ring.Dx()*ring.Dy())/float64(f*f) > work {
		f *= 2
	}
	type place struct {
		dx, dy int // file pixels
		corr   float64
	}
	var places []place
	l := s.layer(f)
	for dy := -ring.Min.Y / f; dy <= (s.h-ring.Max.Y)/f; dy++ {
		for dx := -ring.Min.X / f; dx <= (s.w-ring.Max.X)/f; dx++ {
			// the second view must not cover the first one's box
			if abs(dx*f) < box.Dx() && abs(dy*f) < box.Dy() {
				continue
			}
			places = append(places, place{dx * f, dy * f, l.correlate(ring, hole, dx*f, dy*f, 1)})
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return -cmp.Compare(a.corr, b.corr) })
	// keep the best places that are no neighbours of a better one
	var best []place
	for _, p := range places {
		if len(best) == 12 || p.corr < 0.2 {
			break
		}
		if !slices.ContainsFunc(best, func(q place) bool { return abs(p.dx-q.dx) <= 2*f && abs(p.dy-q.dy) <= 2*f }) {
			best = append(best, p)
		}
	}

	for f > 1 {
		f /= 2
		l = s.layer(f)
		for i, p := range best {
			top := place{corr: math.Inf(-1)}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					q := place{dx: p.dx + dx*f, dy: p.dy + dy*f}
					q.corr = l.correlate(ring, hole, q.dx, q.dy, 1+ring.Dx()*ring.Dy()/f/f/30_000)
					if q.corr > top.corr {
						top = q
					}
				}
			}
			best[i] = top
		}
		slices.SortStableFunc(best, func(a, b place) int { return -cmp.Compare(a.corr, b.corr) })
		best = best[:min(len(best), max(3, len(best)/2))]
	}
	if len(best) == 0 {
		return twin{}
	}

	found := ring
	for _, p := range best {
		found = found.Union(ring.Add(image.Pt(p.dx, p.dy)))
	}
	fine := s.sharpened(found)
	at := func(dx, dy int) float64 { return fine.correlate(ring, hole, dx, dy, 1) }
	t := twin{dx: float64(best[0].dx), dy: float64(best[0].dy), corr: at(best[0].dx, best[0].dy)}
	t.dx += vertex(at(best[0].dx-1, best[0].dy), t.corr, at(best[0].dx+1, best[0].dy))
	t.dy += vertex(at(best[0].dx, best[0].dy-1), t.corr, at(best[0].dx, best[0].dy+1))
	for _, p := range best[1:] {
		if abs(p.dx-best[0].dx) > 4 || abs(p.dy-best[0].dy) > 4 {
			t.rival = max(t.rival, at(p.dx, p.dy))
			break
		}
	}
	return t
}

// sharpened is the full-size layer with slow brightness changes removed inside
// r: depth gain alone makes any two views alike, fine structure does not.
func (s *sight) sharpened(r image.Rectangle) layer {
	const reach = 4
	r = r.Inset(-8).Intersect(s.bounds())
	l := layer{pix: make([]float32, s.w*s.h), w: s.w, h: s.h, f: 1}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			sum, n := 0, 0
			for yy := max(0, y-reach); yy <= min(s.h-1, y+reach); yy += 2 {
				for xx := max(0, x-reach); xx <= min(s.w-1, x+reach); xx += 2 {
					sum += int(s.luma[yy*s.w+xx])
					n++
				}
			}
			l.pix[y*s.w+x] = float32(s.luma[y*s.w+x]) - float32(sum)/float32(n)
		}
	}
	return l
}

// correlate is the normalised correlation of a ring (a rectangle without its
// hole) with its own copy at a shift. All in file pixels; every stride-th row
// and column is looked at.
func (l layer) correlate(ring, hole image.Rectangle, dx, dy, stride int) float64 {
	f := l.f
	ox, oy := dx/f, dy/f
	stride = max(1, int(math.Sqrt(float64(stride))))
	var n, sa, sb, saa, sbb, sab float64
	for y := ring.Min.Y / f; y < ring.Max.Y/f; y += stride {
		if y+oy < 0 || y+oy >= l.h || y >= l.h {
			continue
		}
		for x := ring.Min.X / f; x < ring.Max.X/f; x += stride {
			if x+ox < 0 || x+ox >= l.w || x >= l.w || image.Pt(x*f+f/2, y*f+f/2).In(hole) {
				continue
			}
			a, b := float64(l.pix[y*l.w+x]), float64(l.pix[(y+oy)*l.w+x+ox])
			n, sa, sb, saa, sbb, sab = n+1, sa+a, sb+b, saa+a*a, sbb+b*b, sab+a*b
		}
	}
	if n < 16 {
		return 0
	}
	va, vb := saa/n-sa/n*sa/n, sbb/n-sb/n*sb/n
	if va < 1 || vb < 1 {
		return 0
	}
	return (sab/n - sa/n*sb/n) / math.Sqrt(va*vb)
}

// vertex is the offset of a parabola's top through three neighbouring values.
func vertex(before, at, after float64) float64 {
	curve := before - 2*at + after
	if curve >= 0 {
		return 0
	}
	return min(max(0.5*(before-after)/curve, -0.5), 0.5)
}

func abs(v int) int { return max(v, -v) }
