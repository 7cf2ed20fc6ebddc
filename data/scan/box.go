package scan

import (
	"image"
	"math"
)

// overlayChroma is how coloured a pixel must be, in levels off the grey axis,
// to belong to an overlay: a dark blue at an opacity of 0.2 still is.
const overlayChroma = 20

// findOverlays lists the dense coloured areas that could be an SWE overlay,
// largest first, the bar left out. Sparse colour (text, icons, outlines) is not
// dense.
func (s *sight) findOverlays(not image.Rectangle) []blob {
	const reach = 3 // density over 7 x 7 pixels
	coloured := make([]bool, s.w*s.h)
	not = not.Inset(-4)
	for y := range s.h {
		for x := range s.w {
			coloured[y*s.w+x] = s.chroma[y*s.w+x] >= overlayChroma && !image.Pt(x, y).In(not)
		}
	}
	var out []blob
	for _, b := range blobs(dense(coloured, s.w, s.h, reach), s.w, s.h) {
		if b.rect.Dx() >= 24 && b.rect.Dy() >= 24 {
			b.rect = s.colourExtent(coloured, b.rect.Inset(-reach).Intersect(s.bounds()))
			out = append(out, b)
		}
	}
	for i := range out { // a handful: insertion sort by area, largest first
		for j := i; j > 0 && out[j].area > out[j-1].area; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// dense keeps the pixels whose neighbourhood of (2*reach+1)^2 is at least half
// true.
func dense(mask []bool, w, h, reach int) []bool {
	sums := make([]int32, (w+1)*(h+1))
	for y := range h {
		var row int32
		for x := range w {
			if mask[y*w+x] {
				row++
			}
			sums[(y+1)*(w+1)+x+1] = sums[y*(w+1)+x+1] + row
		}
	}
	out := make([]bool, w*h)
	for y := range h {
		y0, y1 := max(0, y-reach), min(h, y+reach+1)
		for x := range w {
			x0, x1 := max(0, x-reach), min(w, x+reach+1)
			n := sums[y1*(w+1)+x1] - sums[y0*(w+1)+x1] - sums[y1*(w+1)+x0] + sums[y0*(w+1)+x0]
			out[y*w+x] = 2*int(n) >= (y1-y0)*(x1-x0)
		}
	}
	return out
}

// colourExtent shrinks a rectangle to the outermost rows and columns that hold
// a good share of coloured pixels.
func (s *sight) colourExtent(coloured []bool, r image.Rectangle) image.Rectangle {
	const share = 0.2
	row := func(y int) float64 {
		n := 0
		for x := r.Min.X; x < r.Max.X; x++ {
			if coloured[y*s.w+x] {
				n++
			}
		}
		return float64(n) / float64(r.Dx())
	}
	column := func(x int) float64 {
		n := 0
		for y := r.Min.Y; y < r.Max.Y; y++ {
			if coloured[y*s.w+x] {
				n++
			}
		}
		return float64(n) / float64(r.Dy())
	}
	for r.Dy() > 1 && row(r.Min.Y) < share {
		r.Min.Y++
	}
	for r.Dy() > 1 && row(r.Max.Y-1) < share {
		r.Max.Y--
	}
	for r.Dx() > 1 && column(r.Min.X) < share {
		r.Min.X++
	}
	for r.Dx() > 1 && column(r.Max.X-1) < share {
		r.Max.X--
	}
	return r
}

// outline is the thin coloured rectangle around the SWE box, as the plain view
// shows it: there it is the only colour.
type outline struct {
	box   image.Rectangle // the line itself is its outermost pixel ring
	found [4]bool         // sides on which there is a line
	leak  [4]int          // px beside the line, inwards, that carry some of its colour
	inner [4]int          // of those, how many belong to the stroke itself, whose brightness is not tissue's
	outer [4]int          // the same outwards
}

// The sides of a box, in the order of outline's arrays.
const (
	left = iota
	top
	right
	bottom
)

// sides is the number of sides with a line.
func (o outline) sides() int {
	n := 0
	for _, f := range o.found {
		if f {
			n++
		}
	}
	return n
}

// inside is the box without its line, clean the part that no colour of the line
// has leaked into.
func (o outline) inside() image.Rectangle { return o.shrunk([4]int{}) }
func (o outline) clean() image.Rectangle  { return o.shrunk(o.leak) }

func (o outline) shrunk(by [4]int) image.Rectangle {
	for side, f := range o.found {
		if f {
			by[side]++
		}
	}
	return image.Rect(o.box.Min.X+by[left], o.box.Min.Y+by[top], o.box.Max.X-by[right], o.box.Max.Y-by[bottom])
}

// findOutline looks around a rectangle of the plain view for the box's outline.
// The rectangle is where colour was seen; the box may be larger, where its rim
// shows no stiffness: a deep third of it, often. Sides without a line keep the
// rectangle's own position. shift is the way here from the other view, whose
// outline is not to be met.
func (s *sight) findOutline(near image.Rectangle, shift image.Point) outline {
	o := outline{box: near}
	inwards := [4]int{1, 1, -1, -1}
	for side := range 4 {
		size, away := near.Dx(), abs(shift.X)
		if side == top || side == bottom {
			size, away = near.Dy(), abs(shift.Y)
		}
		const in = 6
		out := max(8, size/2)
		if facing := [4]bool{shift.X > 0, shift.Y > 0, shift.X < 0, shift.Y < 0}[side]; facing && away > size {
			out = min(out, (away-size)/2)
		}
		start := [4]int{near.Min.X, near.Min.Y, near.Max.X - 1, near.Max.Y - 1}[side]
		at := func(k int) image.Rectangle { return lineAt(near, side, start+k*inwards[side]) } // k counts inwards
		chroma := map[int]float64{}
		var all []float64
		peak := -out
		for k := -out - 3; k <= in+3; k++ {
			chroma[k] = s.mean(s.chroma, at(k))
			all = append(all, chroma[k])
			if chroma[k] > chroma[peak] {
				peak = k
			}
		}
		base := median(all)
		height := chroma[peak] - base
		// Both boxes may reach far beyond the colour, so that the other view's outline is met after all: the nearer is this one's.
		for k := peak; k <= in; k++ {
			if abs(k) < abs(peak) && chroma[k]-base > 0.7*height && chroma[k] >= chroma[k-1] && chroma[k] >= chroma[k+1] {
				peak = k
			}
		}
		height = chroma[peak] - base
		if height < 6 || height < 4*(quantile(all, 0.75)-base) {
			continue
		}
		// Colour is coarser than brightness in a JPEG: of the pixels that share
		// the line's colour, the line is where the brightness stands out.
		contrast := func(k int) float64 {
			return math.Abs(s.mean(s.luma, at(k)) - (s.mean(s.luma, at(k-3))+s.mean(s.luma, at(k+3)))/2)
		}
		pos := peak
		for _, k := range []int{peak - 1, peak + 1} {
			if chroma[k]-base > 0.6*height && contrast(k) > contrast(pos)+3 {
				pos = k
			}
		}
		// Better still, the line is the last that both views show alike: inwards
		// of it the overlay begins.
		const begins = 4 // levels
		for _, k := range []int{peak - 1, peak, peak + 1} {
			if alike, beyond := s.apart(at(k), shift), s.apart(at(k+1), shift); chroma[k]-base > 0.6*height && beyond > alike+begins && beyond > 2*alike {
				pos = k
			}
		}
		share := func(k int) float64 { return (chroma[k] - base) / height }
		const visible = 0.2
		for o.leak[side] < 3 && share(pos+o.leak[side]+1) > visible {
			o.leak[side]++
		}
		const stroke = 0.4
		for o.inner[side] < 2 && share(pos+o.inner[side]+1) > stroke {
			o.inner[side]++
		}
		for o.outer[side] < 2 && share(pos-o.outer[side]-1) > stroke {
			o.outer[side]++
		}
		o.found[side] = true
		p := start + pos*inwards[side]
		switch side {
		case left:
			o.box.Min.X = p
		case top:
			o.box.Min.Y = p
		case right:
			o.box.Max.X = p + 1
		case bottom:
			o.box.Max.Y = p + 1
		}
	}
	return o
}

// apart is how far a line's brightness is from that of the same line in the view
// that is shifted back, on average.
func (s *sight) apart(line image.Rectangle, shift image.Point) float64 {
	if line = line.Intersect(s.bounds()).Intersect(s.bounds().Add(shift)); line.Empty() {
		return 0
	}
	sum := 0
	for y := line.Min.Y; y < line.Max.Y; y++ {
		for x := line.Min.X; x < line.Max.X; x++ {
			sum += abs(int(s.luma[y*s.w+x]) - int(s.luma[(y-shift.Y)*s.w+x-shift.X]))
		}
	}
	return float64(sum) / float64(line.Dx()*line.Dy())
}

// lineAt is the one-pixel line parallel to a side of r at a position, kept
// clear of the corners.
func lineAt(r image.Rectangle, side, pos int) image.Rectangle {
	if side == left || side == right {
		return image.Rect(pos, r.Min.Y+r.Dy()/8, pos+1, r.Max.Y-r.Dy()/8)
	}
	return image.Rect(r.Min.X+r.Dx()/8, pos, r.Max.X-r.Dx()/8, pos+1)
}

// mean averages a plane of the picture over a line; pixels outside do not count.
func (s *sight) mean(plane []uint8, line image.Rectangle) float64 {
	line = line.Intersect(s.bounds())
	if line.Empty() {
		return 0
	}
	sum := 0.0
	for y := line.Min.Y; y < line.Max.Y; y++ {
		for x := line.Min.X; x < line.Max.X; x++ {
			sum += float64(plane[y*s.w+x])
		}
	}
	return sum / float64(line.Dx()*line.Dy())
}
