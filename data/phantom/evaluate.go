package phantom

import (
	"context"
	"fmt"
	"math"
)

// maxPixels bounds a grid: beyond it a request is more likely a mistake than a plane.
const maxPixels = 1 << 24

// Section works out plane number plane (see Planes) on a grid. It refuses a plane that is not there
// and an impossible grid, and stops with the context's error when that is done.
func (p *Patient) Section(ctx context.Context, plane int, g Grid) (*Section, error) {
	names := p.recipe.Planes.Names
	if plane < 0 || plane >= len(names) {
		return nil, fmt.Errorf("section of %s: plane %d does not exist; there are %d, counted from 0", p.ID, plane, len(names))
	}
	if err := g.validate(); err != nil {
		return nil, fmt.Errorf("section of %s, plane %s: %w", p.ID, names[plane], err)
	}
	s := &Section{Organ: p.recipe.Organ, Patient: p.ID, Plane: names[plane], Grid: g}
	l := newWorkGrid(g)
	y := p.planeY[plane]
	fluidMM, err := s.tissue(ctx, p, l, y)
	if err != nil {
		return nil, fmt.Errorf("section of %s, plane %s: %w", p.ID, names[plane], err)
	}
	boundaries := p.body.histology(s, l, plane)
	s.Gland = make([]bool, len(s.Labels))
	for i, label := range s.Labels {
		s.Gland[i] = label != LabelOutside
	}
	s.fluid(p, fluidMM)
	s.clearReflectors()
	boundaries(fluidMM)
	s.stones(p, y)
	s.viscosity(p)
	s.listFoci(p)
	return s, ctx.Err()
}

// validate refuses a grid that has no pixels, too many, or no size.
func (g Grid) validate() error {
	switch {
	case g.Height < 2 || g.Width < 2:
		return fmt.Errorf("grid is %d by %d pixels; give at least 2 by 2", g.Height, g.Width)
	case g.Height > maxPixels/g.Width:
		return fmt.Errorf("grid is %d by %d pixels, more than %d in all; give a smaller one", g.Height, g.Width, maxPixels)
	case !(g.MMPerPx > 0) || g.MMPerPx > 5:
		return fmt.Errorf("grid has MMPerPx %g; give a size above 0 and up to 5 mm", g.MMPerPx)
	}
	return nil
}

// elevation gives the slices' offsets from the plane and their weights for imaging and for shear
// waves; each set of weights sums to one.
func (b BeamRecipe) elevation() (offsets, imaging, shear []float64) {
	sumI, sumS := 0.0, 0.0
	for k := range b.Slices {
		o := 0.0
		if b.Slices > 1 {
			o = (float64(k)/float64(b.Slices-1)*2 - 1) * 0.75 * b.ImagingFWHMMM
		}
		offsets = append(offsets, o)
		imaging = append(imaging, math.Exp(-4*math.Ln2*o*o/(b.ImagingFWHMMM*b.ImagingFWHMMM)))
		shear = append(shear, math.Exp(-4*math.Ln2*o*o/(b.ShearFWHMMM*b.ShearFWHMMM)))
		sumI += imaging[k]
		sumS += shear[k]
	}
	for k := range offsets {
		imaging[k] /= sumI
		shear[k] /= sumS
	}
	return offsets, imaging, shear
}

// tissue fills the property maps: power and stiffness averaged over the elevation, the others at the
// plane itself. It returns the depth inside fluid.
func (s *Section) tissue(ctx context.Context, p *Patient, l workGrid, y float64) (fluidMM []float32, err error) {
	offsets, imaging, shear := p.recipe.Beam.elevation()
	size := l.size()
	kPa, power := make([]float32, size), make([]float32, size)
	slice, n := newTissueSlice(size), &noise{}
	middle := len(offsets) / 2
	for k, o := range offsets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.evaluate(&slice, n, l, y+o)
		wi, ws := float32(imaging[k]), float32(shear[k])
		for i := range size {
			kPa[i] += ws * slice.kPa[i]
			power[i] += wi * slice.power[i]
		}
		if k == middle {
			for i, v := range slice.lnShape {
				slice.lnShape[i] = float32(math.Exp(min(max(float64(v), math.Log(0.6)), math.Log(60))))
			}
			s.AttenDBCmMHz = clone(l.upsample(s.Grid, slice.atten))
			s.ClusterShape = clone(l.upsample(s.Grid, slice.lnShape))
			fluidMM = clone(l.upsample(s.Grid, slice.fluidMM))
		}
	}
	for i, v := range power {
		power[i] = float32(10 * math.Log10(float64(v)))
	}
	s.EKPa, s.BackscatterDB = l.upsample(s.Grid, kPa), l.upsample(s.Grid, power)
	return fluidMM, nil
}

func clone(v []float32) []float32 { return append([]float32(nil), v...) }

// fluid marks where no shear wave travels.
func (s *Section) fluid(p *Patient, fluidMM []float32) {
	s.Fluid = make([]bool, len(fluidMM))
	for r := range s.Grid.Height {
		z := s.Grid.DepthMM(r)
		for c := range s.Grid.Width {
			i := r*s.Grid.Width + c
			s.Fluid[i] = fluidMM[i] > 0 || z < 2 && p.body.inCouplant(s.Grid.LateralMM(c), z)
		}
	}
}

// stones adds calcifications at full resolution, each by the share of the elevation beam it fills.
func (s *Section) stones(p *Patient, y float64) {
	s.Calcification = make([]bool, len(s.EKPa))
	stone := p.recipe.Stone
	offsets, imaging, shear := p.recipe.Beam.elevation()
	mm := s.Grid.MMPerPx
	bright := math.Pow(10, stone.EchoDB/10)
	for _, b := range p.stones {
		b.x += p.gland.shift
		if math.Abs(b.y-y) > b.r+p.recipe.Beam.ImagingFWHMMM {
			continue
		}
		r0, r1 := max(int((b.z-b.r)/mm), 0), min(int((b.z+b.r)/mm)+1, s.Grid.Height-1)
		c0, c1 := max(int((b.x-b.r)/mm)+s.Grid.Width/2-1, 0), min(int((b.x+b.r)/mm)+s.Grid.Width/2+1, s.Grid.Width-1)
		for r := r0; r <= r1; r++ {
			for c := c0; c <= c1; c++ {
				i := r*s.Grid.Width + c
				if !s.Gland[i] || s.Fluid[i] {
					continue
				}
				filled, stiff := 0.0, 0.0
				for k, o := range offsets {
					if b.depth(s.Grid.LateralMM(c), y+o, s.Grid.DepthMM(r)) > 0 {
						filled += imaging[k]
						stiff += shear[k]
					}
				}
				if filled == 0 {
					continue
				}
				power := math.Pow(10, float64(s.BackscatterDB[i])/10)
				s.BackscatterDB[i] = float32(10 * math.Log10(power+filled*(bright-power)))
				s.AttenDBCmMHz[i] += float32(filled * (stone.AttenDBCmMHz - float64(s.AttenDBCmMHz[i])))
				s.EKPa[i] += float32(stiff * (stone.EKPa - float64(s.EKPa[i])))
				s.Calcification[i] = s.Calcification[i] || filled > 0.4
			}
		}
	}
}

// viscosity is proportional to what the recipe gives benign tissue; none if that is 0.
func (s *Section) viscosity(p *Patient) {
	rt := p.recipe.Tissues
	if rt.BenignViscosityPaS == 0 {
		return
	}
	s.ViscosityPaS = make([]float32, len(s.Labels))
	for i, label := range s.Labels {
		s.ViscosityPaS[i] = float32(rt.BenignViscosityPaS)
		if label >= LabelFocus {
			s.ViscosityPaS[i] *= float32(rt.TumourViscosity)
		}
	}
}

// listFoci lists the foci that the true labels show, with their diameter in the plane.
func (s *Section) listFoci(p *Patient) {
	extents := make([]extent, len(p.Foci))
	for i, label := range s.Labels {
		if label >= LabelFocus {
			extents[label-LabelFocus].add(s.Grid.LateralMM(i%s.Grid.Width), s.Grid.DepthMM(i/s.Grid.Width))
		}
	}
	for k, e := range extents {
		if e.used {
			f := p.Foci[k]
			f.InPlaneDiameterMM = e.feret(s.Grid.MMPerPx)
			s.Foci = append(s.Foci, f)
		}
	}
}
