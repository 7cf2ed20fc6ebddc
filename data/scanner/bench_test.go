package scanner

import (
	"context"
	"testing"
)

func BenchmarkBMode(b *testing.B) {
	m := homogS(25)
	s := EndFire()
	for b.Loop() {
		if _, err := s.BMode(context.Background(), m, s.PlainExam(1), "bench"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "planes/s")
}

func BenchmarkSWE(b *testing.B) {
	m := homogS(25)
	s := EndFire()
	// 35 mm x 30 mm, a prostate's box.
	box := Box{Top: 20, Left: 92, Bottom: 192, Right: 292}
	for b.Loop() {
		if _, err := s.SWE(context.Background(), m, s.PlainExam(1), box, "bench"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "planes/s")
}
func homogS(e float32) *Medium {
 h,w:=256,384; m:=&Medium{Height:h,Width:w,MMPerPx:0.175}
 n:=h*w
 f:=func(v float32)[]float32{x:=make([]float32,n);for i:=range x{x[i]=v};x[0]*=1.0001;return x}
 m.EKPa,m.BackscatterDB,m.AttenDBCmMHz=f(e),f(0),f(0.5)
 return m
}
