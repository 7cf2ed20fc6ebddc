package scan

import "image"

// growView finds the B-mode view around an SWE box: from the box outwards while
// rows and columns still hold enough lit pixels. Ticks, labels and logos at the
// view's border are too sparse to be taken along.
func (s *sight) growView(box image.Rectangle) image.Rectangle {
	const share = 0.1 // of the pixels of a row or column
	const gap = 2     // px of darkness that a view may contain
	r := box
	row := func(y int) bool { return s.litShare(image.Rect(r.Min.X, y, r.Max.X, y+1)) >= share }
	column := func(x int) bool { return s.litShare(image.Rect(x, r.Min.Y, x+1, r.Max.Y)) >= share }
	for before := (image.Rectangle{}); before != r; {
		before = r
		r.Min.X = grow(r.Min.X, -1, gap, column)
		r.Max.X = grow(r.Max.X-1, +1, gap, column) + 1
		r.Min.Y = grow(r.Min.Y, -1, gap, row)
		r.Max.Y = grow(r.Max.Y-1, +1, gap, row) + 1
	}
	return r
}

// grow walks from p in a direction while lines are lit, over at most gap dark
// ones, and returns the last lit position.
func grow(p, step, gap int, lit func(int) bool) int {
	for {
		next := 0
		for k := 1; k <= gap+1; k++ {
			if lit(p + k*step) {
				next = k
				break
			}
		}
		if next == 0 {
			return p
		}
		p += next * step
	}
}

// litShare is the share of lit pixels in a rectangle, 0 outside the picture.
func (s *sight) litShare(r image.Rectangle) float64 {
	if r.Empty() || !r.In(s.bounds()) {
		return 0
	}
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if s.lit(x, y) {
				n++
			}
		}
	}
	return float64(n) / float64(r.Dx()*r.Dy())
}
