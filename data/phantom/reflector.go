package phantom

import "math"

// Strength of the coherent boundaries at normal incidence, dB above speckle: 6-12 dB. Design.
const (
	capsuleReflectorDB  = 8
	surgicalReflectorDB = 6
	urethraReflectorDB  = 7
	wallReflectorDB     = 10
	bladderReflectorDB  = 9
	cystReflectorDB     = 8
	airReflectorDB      = 20
)

// addReflector marks the zero of an implicit function: a band one pixel to each side, with the
// function's gradient as its normal. Where bands meet, the stronger boundary stays.
func (s *Section) addReflector(depth []float32, strengthDB float32, keep func(i int) bool) {
	h, w := s.Grid.Height, s.Grid.Width
	for r := 1; r < h-1; r++ {
		for c := 1; c < w-1; c++ {
			i := r*w + c
			d := depth[i]
			gz, gx := 0.5*(depth[i+w]-depth[i-w]), 0.5*(depth[i+1]-depth[i-1])
			g2 := gz*gz + gx*gx
			if g2 < 1e-6 || d*d > g2 || !keep(i) {
				continue
			}
			if strengthDB <= s.ReflectorDB[i] {
				continue
			}
			n := 1 / float32(math.Sqrt(float64(g2)))
			s.ReflectorDB[i], s.ReflectorNormalZ[i], s.ReflectorNormalX[i] = strengthDB, gz*n, gx*n
		}
	}
}

// clearReflectors makes the maps, without any boundary.
func (s *Section) clearReflectors() {
	n := s.Grid.Height * s.Grid.Width
	s.ReflectorDB = make([]float32, n)
	for i := range s.ReflectorDB {
		s.ReflectorDB[i] = NoReflectorDB
	}
	s.ReflectorNormalZ, s.ReflectorNormalX = make([]float32, n), make([]float32, n)
}

// prostateReflectors draws all coherent boundaries of the plane.
func (s *Section) prostateReflectors(p *Patient, f labelFields, fluidMM []float32) {
	always := func(int) bool { return true }
	inGland := func(i int) bool { return f.capsule[i] > 1 }
	s.addReflector(f.capsule, capsuleReflectorDB, always)
	s.addReflector(f.tz, surgicalReflectorDB, func(i int) bool { return inGland(i) && f.afms[i] < 0 })
	s.addReflector(f.urethra, urethraReflectorDB, inGland)
	s.addReflector(fluidMM, cystReflectorDB, inGland)
	s.addReflector(fluidMM, bladderReflectorDB, func(i int) bool { return f.bladder[i] > bladderWallMM-1 })
	wall := make([]float32, len(s.ReflectorDB))
	for _, at := range [2]float64{p.gland.couplant, p.gland.couplant + p.gland.wall} {
		for r := range s.Grid.Height {
			for c := range s.Grid.Width {
				wall[r*s.Grid.Width+c] = float32(p.gland.probeDepth(s.Grid.LateralMM(c)-p.gland.shift, s.Grid.DepthMM(r)) - at)
			}
		}
		s.addReflector(wall, wallReflectorDB, always)
	}
}
