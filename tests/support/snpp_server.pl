# A paging terminal on loopback: Debian's Net::SNPP::Server. Arguments: port, journal, a file whose appearance releases what hangs.
# Each message becomes one line of the journal: pager, tabulator, text.
use strict;
use warnings;
use Net::SNPP::Server;

my ($port, $journal, $release) = @ARGV;
open(my $out, '>>', $journal) or die "$journal: $!";
$out->autoflush(1);

my $server = Net::SNPP::Server->new(Port => $port, BindTo => '127.0.0.1', Timeout => 60, MaxErrors => 5);
$server->callback('validate_pager_id', sub { my $id = shift; $id =~ /^\d{4}$/ && $id ne '7404' ? $id : undef });
$server->callback('validate_pager_pin', sub { $_[0] });
$server->callback('write_log', sub { });
$server->callback('process_page', sub {
    my ($pager, $page) = @_;
    my $id = $pager->[0];
    return 0 if $id eq '7503';
    exit if $id eq '7888';
    if ($id eq '7999') { select(undef, undef, undef, 0.02) until -e $release }
    print $out "$id\t$page->{mess}\n";
    return 1;
});

$SIG{CHLD} = 'IGNORE';
while (my $client = $server->client()) {
    if (!fork()) { $server->handle_client($client); exit }
    close $client;
}
