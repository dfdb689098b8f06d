#!/usr/bin/perl
# A FastCGI application in plain Perl, without any module: usherd hands it a listening socket as standard input.
# Real applications use PSGI or FCGI.pm; this one shows that there is no magic.
use strict;
use warnings;

use constant { BEGIN_REQUEST => 1, END_REQUEST => 3, PARAMS => 4, STDIN_STREAM => 5, STDOUT_STREAM => 6 };

my $served = 0;

# Reads exactly that many bytes, or gives undef when the other side is gone.
sub read_bytes {
    my ($socket, $size) = @_;
    my $bytes = '';
    while (length $bytes < $size) {
        sysread($socket, $bytes, $size - length $bytes, length $bytes) or return undef;
    }
    return $bytes;
}

sub encode_record {
    my ($type, $id, $content) = @_;
    return pack('CCnnCC', 1, $type, $id, length $content, 0, 0) . $content;
}

# Name-value pairs: two lengths (one byte, or four with the top bit set), then the two texts (FastCGI 1.0 section 3.4).
sub decode_params {
    my ($bytes) = @_;
    my %params;
    my $length = sub {
        my $short = unpack('C', $bytes);
        my $size = $short < 128 ? $short : unpack('N', $bytes) & 0x7fffffff;
        substr($bytes, 0, $short < 128 ? 1 : 4) = '';
        return $size;
    };
    while (length $bytes) {
        my ($name_size, $value_size) = ($length->(), $length->());
        my $name = substr($bytes, 0, $name_size, '');
        $params{$name} = substr($bytes, 0, $value_size, '');
    }
    return \%params;
}

sub escape_html {
    my ($text) = @_;
    $text =~ s/([&<>"])/'&#' . ord($1) . ';'/ge;
    return $text;
}

sub answer {
    my ($params) = @_;
    $served += 1;
    my @facts = (
        [uid => $>], [pid => $$], [served => $served],
        [script => $params->{SCRIPT_NAME} // ''], [path => $params->{PATH_INFO} // ''],
    );
    if (($params->{QUERY_STRING} // '') eq 'plain') {
        return "Content-Type: text/plain; charset=utf-8\r\n\r\n" . join '', map { "$_->[0]=$_->[1]\n" } @facts;
    }
    my $rows = join "\n", map { "<tr><th>$_->[0]<td>" . escape_html($_->[1]) } @facts;
    return "Content-Type: text/html; charset=utf-8\r\n\r\n"
        . "<!doctype html>\n<title>hello-perl</title>\n<h1>Hello from Perl</h1>\n<table>$rows</table>\n";
}

sub serve {
    my ($socket) = @_;
    my $params = '';
    while (defined(my $header = read_bytes($socket, 8))) {
        my (undef, $type, $id, $size, $padding) = unpack('CCnnC', $header);
        my $content = read_bytes($socket, $size + $padding) // return;
        substr($content, $size) = '';
        $params = '' if $type == BEGIN_REQUEST;
        $params .= $content if $type == PARAMS;
        next unless $type == STDIN_STREAM && $size == 0;
        my $output = encode_record(STDOUT_STREAM, $id, answer(decode_params($params)));
        syswrite($socket, $output . encode_record(END_REQUEST, $id, "\0" x 8));
        return;
    }
}

$SIG{PIPE} = 'IGNORE';    # the other side has given up; the next request is a new connection
while (accept(my $socket, STDIN)) {
    serve($socket);
    close $socket;
}
