// The contract of all languages: perl-cgi.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('perl-cgi');
