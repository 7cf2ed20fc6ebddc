package scanner

import (
	"errors"
	"fmt"
	"math"
)

// NoReflector is the ReflectorDB at and below which a pixel holds no boundary.
const NoReflector = -100

// boundaryPx is the width, in pixels, of the bands in which boundaries are drawn.
const boundaryPx = 2

// Medium is what the ultrasound meets, on one isotropic grid: row 0 at the probe
// face, lateral centre at column Width/2. Maps are row-major of length
// Height*Width. The reference grid is 256 x 384 at 0.175 mm.
type Medium struct {
	Height, Width int
	MMPerPx       float64

	// EKPa is the apparent Young's modulus in kPa: what a shear-wave scanner
	// reads in a homogeneous block of this tissue.
	EKPa []float32
	// ViscosityPaS is the Kelvin-Voigt shear viscosity in Pa s; nil means elastic.
	ViscosityPaS []float32

	// BackscatterDB is the backscattered power in dB about an arbitrary
	// reference, already integrated over the elevation beam (independent
	// scatterers add variances).
	BackscatterDB []float32
	// AttenDBCmMHz is the one-way attenuation in dB/cm/MHz.
	AttenDBCmMHz []float32
	// ClusterShape is the shape of the gamma law of the local scattering power:
	// small values cluster, 0 means fully developed speckle. May be nil.
	ClusterShape []float32

	// ReflectorDB is the level of coherent boundaries at normal incidence, in dB
	// above 0 dB speckle, in bands two pixels wide; NoReflector or less means none.
	// NormalZ and NormalX are the boundary's unit normal, of either sign. All three
	// may be nil, only together.
	ReflectorDB, NormalZ, NormalX []float32

	// Fluid supports no shear wave; Calcification is stone. Both may be nil.
	Fluid, Calcification []bool
}

// Validate reports every map that is missing, of the wrong length or holds a
// value that no tissue has, each by name and pixel.
func (m *Medium) Validate() error {
	if m == nil {
		return errors.New("scanner: medium is nil")
	}
	if m.Height < 16 || m.Width < 16 || m.Height > 1<<14 || m.Width > 1<<14 {
		return fmt.Errorf("scanner: medium of %d x %d pixels: each side must hold 16 to 16384", m.Height, m.Width)
	}
	if !(m.MMPerPx >= 0.02 && m.MMPerPx <= 1) {
		return fmt.Errorf("scanner: medium MMPerPx is %g: must be 0.02 to 1 mm", m.MMPerPx)
	}
	if most := 300.0; float64(max(m.Height, m.Width))*m.MMPerPx > most {
		return fmt.Errorf("scanner: medium of %d x %d pixels of %g mm: no side may exceed %g mm", m.Height, m.Width, m.MMPerPx, most)
	}
	maps := []struct {
		name     string
		values   []float32
		lo, hi   float64
		optional bool
	}{
		{"EKPa", m.EKPa, 0, 1e4, false},
		{"ViscosityPaS", m.ViscosityPaS, 0, 20, true},
		{"BackscatterDB", m.BackscatterDB, -200, 60, false},
		{"AttenDBCmMHz", m.AttenDBCmMHz, 0, 100, false},
		{"ClusterShape", m.ClusterShape, 0, math.MaxFloat32, true},
		{"ReflectorDB", m.ReflectorDB, -1e4, 60, true},
		{"NormalZ", m.NormalZ, -1.01, 1.01, true},
		{"NormalX", m.NormalX, -1.01, 1.01, true},
	}
	var problems []error
	for _, f := range maps {
		if f.values == nil && f.optional {
			continue
		}
		if len(f.values) != m.Height*m.Width {
			problems = append(problems, fmt.Errorf("scanner: medium %s holds %d values: want %d x %d = %d",
				f.name, len(f.values), m.Height, m.Width, m.Height*m.Width))
			continue
		}
		for i, v := range f.values {
			if !(float64(v) >= f.lo && float64(v) <= f.hi) {
				problems = append(problems, fmt.Errorf("scanner: medium %s is %g at row %d, column %d: must be %g to %g",
					f.name, v, i/m.Width, i%m.Width, f.lo, f.hi))
				break
			}
		}
	}
	for _, f := range []struct {
		name   string
		values []bool
	}{{"Fluid", m.Fluid}, {"Calcification", m.Calcification}} {
		if f.values != nil && len(f.values) != m.Height*m.Width {
			problems = append(problems, fmt.Errorf("scanner: medium %s holds %d values: want %d", f.name, len(f.values), m.Height*m.Width))
		}
	}
	if (m.ReflectorDB == nil) != (m.NormalZ == nil) || (m.NormalZ == nil) != (m.NormalX == nil) {
		problems = append(problems, errors.New("scanner: medium ReflectorDB, NormalZ and NormalX must be given together"))
	}
	return errors.Join(problems...)
}

// bilinear samples a map at fractional row and column, clamped at the edges: tissue
// goes on beyond the grid.
func (m *Medium) bilinear(values []float32, row, col float64) float32 {
	row = min(max(row, 0), float64(m.Height-1))
	col = min(max(col, 0), float64(m.Width-1))
	i, j := min(int(row), m.Height-2), min(int(col), m.Width-2)
	fi, fj := float32(row-float64(i)), float32(col-float64(j))
	a := values[i*m.Width+j : i*m.Width+j+2]
	b := values[(i+1)*m.Width+j : (i+1)*m.Width+j+2]
	top := a[0] + fj*(a[1]-a[0])
	bottom := b[0] + fj*(b[1]-b[0])
	return top + fi*(bottom-top)
}

// pixel returns the fractional row and column of a point in millimetres.
func (m *Medium) pixel(zMM, xMM float64) (row, col float64) {
	return zMM / m.MMPerPx, xMM/m.MMPerPx + float64(m.Width)/2
}

// point returns the position of a pixel in millimetres.
func (m *Medium) point(row, col int) (zMM, xMM float64) {
	return float64(row) * m.MMPerPx, (float64(col) - float64(m.Width)/2) * m.MMPerPx
}
