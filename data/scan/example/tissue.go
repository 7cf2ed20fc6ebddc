package example

import "image"

// Tissue is an imaging plane as the drawn scanner knows it, on its pixel grid.
type Tissue struct {
	Height, Width int
	MMPerPx       float64
	Grey          []float64       // [Height, Width] B-mode, grey levels 0 to 255
	KPa           []float64       // [Height, Width] Young's modulus, the overlay's
	Shown         []bool          // [Height, Width] the overlay has a colour here
	Box           image.Rectangle // the SWE box, outline included
}

// OfPlane is the tissue of a plane with B-mode bmode and measured Young's modulus
// sweKPa, both [height, width], NaN or 0 where there is none. The box is drawn
// around what was measured, its outline over the outermost measured pixels.
func OfPlane(height, width int, mmPerPx float64, bmode []uint8, sweKPa []float32) Tissue {
	t := Tissue{Height: height, Width: width, MMPerPx: mmPerPx, Grey: make([]float64, len(bmode)),
		KPa: make([]float64, len(sweKPa)), Shown: make([]bool, len(sweKPa))}
	for i, v := range sweKPa {
		t.Grey[i] = float64(bmode[i])
		if x, y := i%width, i/width; v > 0 {
			t.KPa[i] = float64(v)
			t.Box = t.Box.Union(image.Rect(x-1, y-1, x+2, y+2))
		}
	}
	t.Box = t.Box.Intersect(image.Rect(0, 0, width, height))
	for i, v := range t.KPa {
		t.Shown[i] = v > 0 && image.Pt(i%width, i/width).In(t.Box.Inset(1))
	}
	return t
}
