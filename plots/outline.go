package plots

import "gonum.org/v1/plot/vg"

// A label at or above firstTumour marks a tumour focus; any other label above 0 is gland.
const firstTumour = 10

// contour is an outline in pixel coordinates, (0, 0) being the outer corner of the first pixel.
type contour struct {
	points [][2]float64 // column, row
	closed bool
}

// outlines traces the borders between pixels that are inside and pixels that are not. The frame of the image is no border: a gland that the plane cuts
// off stays open there. The steps of the pixel grid are rounded by less than half a pixel.
func outlines(height, width int, inside func(i int) bool) []contour {
	in := func(row, col int) bool { return inside(row*width + col) }
	// Directed edges along the pixel grid, the inside on their right hand; at most two leave a vertex.
	vertices := width + 1
	next := make([][]int, (height+1)*vertices)
	entering := make([]int, len(next))
	edge := func(r0, c0, r1, c1 int) {
		from, to := r0*vertices+c0, r1*vertices+c1
		next[from] = append(next[from], to)
		entering[to]++
	}
	for r := range height {
		for c := range width {
			if c+1 < width && in(r, c) != in(r, c+1) {
				if in(r, c) {
					edge(r, c+1, r+1, c+1)
				} else {
					edge(r+1, c+1, r, c+1)
				}
			}
			if r+1 < height && in(r, c) != in(r+1, c) {
				if in(r, c) {
					edge(r+1, c+1, r+1, c)
				} else {
					edge(r+1, c, r+1, c+1)
				}
			}
		}
	}
	follow := func(start int) contour {
		path := []int{start}
		for at := start; len(next[at]) > 0; {
			k := 0
			if len(next[at]) > 1 && len(path) > 1 {
				k = rightTurn(path[len(path)-2], at, next[at], vertices)
			}
			to := next[at][k]
			next[at] = append(next[at][:k:k], next[at][k+1:]...)
			path = append(path, to)
			if to == start {
				break
			}
			at = to
		}
		return smooth(path, vertices)
	}
	var found []contour
	for v := range next {
		if len(next[v]) > entering[v] { // an open outline begins at the frame
			found = append(found, follow(v))
		}
	}
	for v := range next {
		for len(next[v]) > 0 {
			found = append(found, follow(v))
		}
	}
	return found
}

// rightTurn picks, where two pixels touch at a corner only, the edge that keeps them apart.
func rightTurn(from, at int, choices []int, vertices int) int {
	dr, dc := at/vertices-from/vertices, at%vertices-from%vertices
	for k, to := range choices {
		if to/vertices-at/vertices == dc && to%vertices-at%vertices == -dr {
			return k
		}
	}
	return 0
}

// smooth takes the middles of the edges (which cuts the corners of the pixel grid) and averages each with its neighbours four times.
func smooth(path []int, vertices int) contour {
	vertex := func(v int) [2]float64 { return [2]float64{float64(v % vertices), float64(v / vertices)} }
	first, last := vertex(path[0]), vertex(path[len(path)-1])
	c := contour{closed: path[0] == path[len(path)-1]}
	for i := 1; i < len(path); i++ {
		c.points = append(c.points, mean(vertex(path[i-1]), vertex(path[i])))
	}
	if !c.closed {
		c.points = append(append([][2]float64{first}, c.points...), last)
	}
	n := len(c.points)
	for range 4 {
		old := append([][2]float64{}, c.points...)
		for i := range n {
			if !c.closed && (i == 0 || i == n-1) {
				continue
			}
			c.points[i] = mean(old[i], mean(old[(i+n-1)%n], old[(i+1)%n]))
		}
	}
	return c
}

func mean(a, b [2]float64) [2]float64 {
	return [2]float64{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2}
}

// drawOutlines draws gland (thin) and tumours (thick), white within black, so that they stand out of any colour map.
func (p page) drawOutlines(labels []uint8, height, width int, area vg.Rectangle) {
	scaleX := (area.Max.X - area.Min.X) / vg.Length(width)
	scaleY := (area.Max.Y - area.Min.Y) / vg.Length(height)
	stroke := func(widthPt float64, inside func(uint8) bool) {
		found := outlines(height, width, func(i int) bool { return inside(labels[i]) })
		for _, casing := range []bool{true, false} {
			style := solid(white, widthPt)
			if casing {
				style = solid(ink, 2.2*widthPt)
			}
			p.SetLineStyle(style)
			for _, c := range found {
				var path vg.Path
				for i, pt := range c.points {
					at := vg.Point{X: area.Min.X + vg.Length(pt[0])*scaleX, Y: area.Max.Y - vg.Length(pt[1])*scaleY}
					if i == 0 {
						path.Move(at)
					} else {
						path.Line(at)
					}
				}
				if c.closed {
					path.Close()
				}
				p.Stroke(path)
			}
		}
	}
	stroke(glandWidth, func(l uint8) bool { return l > 0 })
	stroke(tumourWidth, func(l uint8) bool { return l >= firstTumour })
}

// Widths of the outlines' white core, in points.
const (
	glandWidth  = 0.55
	tumourWidth = 1.0
)
