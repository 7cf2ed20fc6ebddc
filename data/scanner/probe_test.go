package scanner
import ("context";"fmt";"math";"testing";"time")
func homog(e float32) *Medium {
 h,w:=200,230; m:=&Medium{Height:h,Width:w,MMPerPx:0.175}
 n:=h*w
 f:=func(v float32)[]float32{x:=make([]float32,n);for i:=range x{x[i]=v};return x}
 m.EKPa,m.BackscatterDB,m.AttenDBCmMHz=f(e),f(0),f(0.5)
 return m
}
func TestProbeCR(t *testing.T){
 for _,L:=range []float64{3} { for _,d:=range []float64{5,10,15,20} {
  m:=homog(25); s:=EndFire();  s.TrackingNoise=0; s.ScaleMaxKPa=300
  for i:=range m.EKPa{z,x:=m.point(i/m.Width,i%m.Width); if math.Hypot(z-17,x)<d/2{m.EKPa[i]=60}}
  box:=Box{10,10,190,220}
  el,_:=s.SWE(context.Background(),m,s.PlainExam(1),box,"p")
  var c,cn,b,bn float64; var prof []float32
  for i,v:=range el.EKPa{ if v!=v{continue}; z,x:=m.point(i/m.Width,i%m.Width); r:=math.Hypot(z-17,x); if r<.35*d{c+=float64(v);cn++}; if r>d/2+3&&r<d/2+6&&z>3&&z<32{b+=float64(v);bn++}}
  for j:=10;j<220;j+=6 {prof=append(prof,el.EKPa[97*m.Width+j])}
  fmt.Printf("L %.0f d %.0f core %.1f bg %.1f CR %.0f%%\n",L,d,c/cn,b/bn,(c/cn-b/bn)/35*100)
  fmt.Printf("   %.0f\n",prof)
 }}
}
func TestProbeDepth(t *testing.T){
 for _,k:=range []float64{0.05} { for _,E:=range []float32{25,60}{
  m:=homog(E); h:=256; m.Height=h; n:=h*m.Width
  f:=func(v float32)[]float32{x:=make([]float32,n);for i:=range x{x[i]=v};return x}
  m.EKPa,m.BackscatterDB,m.AttenDBCmMHz=f(E),f(0),f(0.5)
  s:=EndFire(); s.TrackingNoise=k; s.ScaleMaxKPa=300
  box:=Box{10,10,250,220}
  t0:=time.Now()
  el,_:=s.SWE(context.Background(),m,s.PlainExam(1),box,"p")
  fmt.Printf("k %.2f E %.0f (%v): ",k,E,time.Since(t0).Round(time.Millisecond))
  for r:=10;r<250;r+=29{ var v,a,q,ss float64; for rr:=r;rr<r+29&&rr<250;rr++{for c:=10;c<220;c++{a++;if x:=float64(el.EKPa[rr*m.Width+c]);x==x{v++;q+=x;ss+=x*x}}}; mu:=q/v; fmt.Printf(" %.0fmm %.0f%% %.1f±%.1f",float64(r+14)*.175,100*v/a,mu,math.Sqrt(ss/v-mu*mu)) }
  fmt.Println()
 }}
}
