% Four buses, two generators, a ring of four lines: README.md has the source.
function mpc = grainger4
mpc.version = '2';
mpc.baseMVA = 100;
%	bus_i	type	Pd	Qd	Gs	Bs	area	Vm	Va	baseKV	zone	Vmax	Vmin
mpc.bus = [
	1	3	50	30.99	0	0	1	1	0	230	1	1.1	0.9;
	2	1	170	105.35	0	0	1	1	0	230	1	1.1	0.9;
	3	1	200	123.94	0	0	1	1	0	230	1	1.1	0.9;
	4	2	80	49.58	0	0	1	1	0	230	1	1.1	0.9;
];
%	bus	Pg	Qg	Qmax	Qmin	Vg	mBase	status	Pmax	Pmin
mpc.gen = [
	1	0	0	Inf	-Inf	1.00	100	1	1000	0;
	4	318	0	Inf	-Inf	1.02	100	1	318	0;
];
% charging of the whole line
%	fbus	tbus	r	x	b	rateA	rateB	rateC	ratio	angle	status
mpc.branch = [
	1	2	0.01008	0.05040	0.1025	0	0	0	0	0	1;
	1	3	0.00744	0.03720	0.0775	0	0	0	0	0	1;
	2	4	0.00744	0.03720	0.0775	0	0	0	0	0	1;
	3	4	0.01272	0.06360	0.1275	0	0	0	0	0	1;
];
