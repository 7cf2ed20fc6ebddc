package scan

import (
	"image"
	"math"
)

// crop copies the plain view as grey levels and removes what is no tissue: the
// SWE box's outline, painted over from its neighbours, because a network must
// not see where a box was; and marks burned into this view alone, such as a
// line of text or a cursor, replaced by the overlay view's pixels.
func (s *sight) crop(view image.Rectangle, o outline, t twin, n noise) []uint8 {
	c := canvas{view: view, pix: make([]uint8, view.Dx()*view.Dy())}
	for y := view.Min.Y; y < view.Max.Y; y++ {
		copy(c.pix[(y-view.Min.Y)*view.Dx():], s.luma[y*s.w+view.Min.X:y*s.w+view.Max.X])
	}
	s.removeMarks(c, o.box.Inset(-5), t, n)
	for side := range 4 {
		if o.found[side] {
			c.paintOver(o, side)
		}
	}
	return c.pix
}

// canvas is a crop that is written in the file's coordinates.
type canvas struct {
	view image.Rectangle
	pix  []uint8
}

func (c canvas) at(x, y int) float64 {
	x, y = min(max(x, c.view.Min.X), c.view.Max.X-1), min(max(y, c.view.Min.Y), c.view.Max.Y-1)
	return float64(c.pix[(y-c.view.Min.Y)*c.view.Dx()+x-c.view.Min.X])
}

func (c canvas) set(x, y int, v float64) {
	if image.Pt(x, y).In(c.view) {
		c.pix[(y-c.view.Min.Y)*c.view.Dx()+x-c.view.Min.X] = uint8(math.Round(v))
	}
}

// removeMarks finds pixels much brighter here than in the other view, outside
// the SWE box, and takes them and their neighbours from there.
func (s *sight) removeMarks(c canvas, box image.Rectangle, t twin, n noise) {
	limit := max(40, 6*n.alongGrey)
	scale := s.grey[0]*0.299 + s.grey[1]*0.587 + s.grey[2]*0.114 // from length along grey to brightness
	other := func(x, y int) float64 {
		return s.between(float64(x)-t.dx, float64(y)-t.dy).dot(s.grey) * scale
	}
	for y := c.view.Min.Y; y < c.view.Max.Y; y++ {
		for x := c.view.Min.X; x < c.view.Max.X; x++ {
			if image.Pt(x, y).In(box) || float64(s.luma[y*s.w+x])-other(x, y) <= limit {
				continue
			}
			for ny := y - 1; ny <= y+1; ny++ {
				for nx := x - 1; nx <= x+1; nx++ {
					if !image.Pt(nx, ny).In(box) {
						c.set(nx, ny, min(c.at(nx, ny), other(nx, ny)))
					}
				}
			}
		}
	}
}

// paintOver bridges one side of the outline linearly, from the pixel before it
// to the pixel behind it.
func (c canvas) paintOver(o outline, side int) {
	before, behind := o.outer[side], o.inner[side]
	if side == right || side == bottom {
		before, behind = behind, before
	}
	width := float64(before + behind + 2)
	for k := -before; k <= behind; k++ {
		f := float64(k+before+1) / width
		switch side {
		case left, right:
			x := o.box.Min.X
			if side == right {
				x = o.box.Max.X - 1
			}
			for y := o.box.Min.Y - o.outer[top]; y < o.box.Max.Y+o.outer[bottom]; y++ {
				c.set(x+k, y, c.at(x-before-1, y)*(1-f)+c.at(x+behind+1, y)*f)
			}
		default:
			y := o.box.Min.Y
			if side == bottom {
				y = o.box.Max.Y - 1
			}
			for x := o.box.Min.X - o.outer[left]; x < o.box.Max.X+o.outer[right]; x++ {
				c.set(x, y+k, c.at(x, y-before-1)*(1-f)+c.at(x, y+behind+1)*f)
			}
		}
	}
}
